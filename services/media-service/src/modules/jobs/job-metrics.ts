import { Counter, Histogram, type Registry } from 'prom-client'

/** Metrics of workers by kind of job. */
export class JobMetrics {
  readonly duration: Histogram<'kind' | 'result'>
  readonly lost: Counter

  constructor(registry: Registry) {
    const registers = [registry]
    this.duration = new Histogram({
      name: 'media_job_duration_seconds',
      help: 'Duration of one attempt of a job, by result: succeeded, retried, failed, lease_lost.',
      labelNames: ['kind', 'result'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
      registers,
    })
    this.lost = new Counter({
      name: 'media_job_leases_expired_total',
      help: 'Leases that expired because a worker died or hung.',
      registers,
    })
  }
}

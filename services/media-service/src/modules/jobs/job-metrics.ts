import { startAtZero } from '@bigtech/service-kit'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { JobRepository } from './job.repository.ts'
import { jobKinds } from './job.ts'

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
    startAtZero(this.duration, { kind: jobKinds, result: ['succeeded', 'retried', 'failed', 'lease_lost'] })
    this.lost = new Counter({
      name: 'media_job_leases_expired_total',
      help: 'Leases that expired because a worker died or hung.',
      registers,
    })
  }
}

/** Registers the state of the queue, read at each scrape. Reported by the web processes, so that it is visible while no worker runs. */
export function registerQueueMetrics(registry: Registry, jobs: Pick<JobRepository, 'depth'>): void {
  // During a MySQL outage the series is missing rather than stale; `store_up` reports the outage.
  const depth = async () => {
    const rows = await jobs.depth().catch(() => undefined)
    if (!rows) return []
    return jobKinds.flatMap((kind) =>
      ['queued', 'running'].map(
        (state) =>
          rows.find((row) => row.kind === kind && row.state === state) ?? {
            kind,
            state,
            jobs: 0,
            waitedSeconds: 0,
          },
      ),
    )
  }
  new Gauge({
    name: 'media_jobs',
    help: 'Jobs by state: queued, running.',
    labelNames: ['kind', 'state'],
    registers: [registry],
    async collect() {
      const rows = await depth()
      this.reset()
      for (const { kind, state, jobs: count } of rows) this.set({ kind, state }, count)
    },
  })
  new Gauge({
    name: 'media_job_queue_age_seconds',
    help: 'How long the oldest job that could run has waited.',
    labelNames: ['kind'],
    registers: [registry],
    async collect() {
      const rows = await depth()
      this.reset()
      for (const { kind, state, waitedSeconds } of rows)
        if (state === 'queued') this.set({ kind }, waitedSeconds)
    },
  })
}

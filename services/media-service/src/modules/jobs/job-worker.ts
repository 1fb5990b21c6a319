import { setTimeout as sleep } from 'node:timers/promises'
import { untilTick } from '@bigtech/kafka'
import type { Context } from '@bigtech/service-kit'
import type { Tx } from '../../infrastructure/mysql.ts'
import type { JobRepository } from './job.repository.ts'
import {
  type ClaimedJob,
  cancelled,
  type JobEffects,
  JobFailure,
  type JobKind,
  MAX_ATTEMPTS,
  retryDelayMs,
  toFailure,
} from './job.ts'
import type { JobMetrics } from './job-metrics.ts'

type Log = Context['log']

/** The context of a running job. */
export interface JobRun {
  readonly log: Log
  /** Aborted when the job was cancelled or its lease is lost: stop, because the result would be discarded. */
  readonly signal: AbortSignal
  /** Reported at the next renewal of the lease. @param percent 0..99 */
  progress(percent: number, stage: string): void
}

export interface JobHandler extends JobEffects {
  /**
   * A job that no user waits for. One slot of a worker never runs these, so that other jobs do not queue
   * behind them.
   */
  readonly isLong?: boolean
  /** Does the work and returns its changes, which are applied together with the end of the job. */
  run(job: ClaimedJob, run: JobRun): Promise<(tx: Tx) => Promise<unknown>>
}

export interface JobWorkerOptions {
  readonly id: string
  readonly jobs: JobRepository
  /** Jobs of other kinds are left to workers that support them, for example of a newer release. */
  readonly handlers: Readonly<Partial<Record<JobKind, JobHandler>>>
  readonly metrics: JobMetrics
  readonly log: Log
  readonly slots: number
  readonly pollMs: number
  readonly heartbeatMs: number
  /** Called after a job has ended, to wake the outbox relay. */
  readonly onFinished: () => void
}

/** Time for which a stopping worker waits for its jobs before it returns them to the queue. */
const FINISH_WITHIN_MS = 5_000

/** A worker that had no job for `QUIET_AFTER_MS` looks for jobs this often, unless `pollMs` is longer: each look wakes it and the database. */
const QUIET_POLL_MS = 1_000
const QUIET_AFTER_MS = 30_000

/** Runs jobs in a number of slots; heavy work belongs into child processes. */
export class JobWorker {
  readonly #options: JobWorkerOptions
  readonly #stopping = new AbortController()
  readonly #running = new Map<ClaimedJob, AbortController>()
  #loops: Promise<void>[] = []
  #polling: Promise<void> | undefined
  #lastJobAt = performance.now()

  constructor(options: JobWorkerOptions) {
    this.#options = options
  }

  start(): void {
    const { slots, heartbeatMs } = this.#options
    this.#loops = [
      ...Array.from({ length: slots }, (_slot, index) => this.#work(this.#kindsOf(index))),
      this.#repeat(heartbeatMs, () => this.#options.jobs.announce(this.#options.id, slots)),
      this.#repeat(heartbeatMs, () => this.#reap()),
    ]
  }

  /** Accepts no new job, waits briefly for running ones, then returns them to the queue. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    const finished = Promise.all(this.#loops)
    await Promise.race([finished, sleep(FINISH_WITHIN_MS, undefined, { ref: false })])
    await this.#options.jobs.release([...this.#running.keys()])
    for (const controller of this.#running.values()) controller.abort()
    await finished
    await this.#options.jobs.retire(this.#options.id)
  }

  #kindsOf(slot: number): JobKind[] {
    const { handlers, slots } = this.#options
    const kinds = Object.keys(handlers) as JobKind[]
    return slots > 1 && slot === 0 ? kinds.filter((kind) => !handlers[kind]!.isLong) : kinds
  }

  async #work(kinds: readonly JobKind[]): Promise<void> {
    const { jobs, id, log } = this.#options
    while (!this.#stopping.signal.aborted) {
      const [job] = await jobs.claim(id, 1, kinds).catch((err: unknown) => {
        log.warn({ err }, 'claiming a job failed')
        return []
      })
      if (job) await this.#runOne(job)
      else await this.#untilDue()
    }
  }

  /** Waits until jobs are due; the idle slots share one poll. */
  #untilDue(): Promise<void> {
    this.#polling ??= this.#poll().finally(() => {
      this.#polling = undefined
    })
    return this.#polling
  }

  async #poll(): Promise<void> {
    const { jobs, handlers, pollMs } = this.#options
    const { signal } = this.#stopping
    const kinds = Object.keys(handlers) as JobKind[]
    let isDue = false
    while (!isDue && !signal.aborted) {
      const isQuiet = performance.now() - this.#lastJobAt > QUIET_AFTER_MS
      const waitMs = isQuiet ? Math.max(pollMs, QUIET_POLL_MS) : pollMs
      await sleep(untilTick(waitMs, waitMs), undefined, { signal }).catch(() => undefined)
      // The following claim reports an outage.
      isDue = await jobs.areDue(kinds).catch(() => true)
    }
  }

  async #runOne(job: ClaimedJob): Promise<void> {
    const { metrics, onFinished } = this.#options
    const log = this.#options.log.child({
      job_id: job.id,
      kind: job.kind,
      request_id: job.requestId,
      attempt: job.attempt,
    })
    const controller = new AbortController()
    this.#running.set(job, controller)
    const lease = this.#keepLease(job, controller, log)
    const end = metrics.duration.startTimer({ kind: job.kind })
    try {
      const result = await this.#attempt(job, controller.signal, lease, log)
      end({ result })
      log.info({ result }, 'job ended')
      onFinished()
    } catch (err) {
      // The result could not be stored: the lease expires and another worker runs the job.
      log.error({ err }, 'storing the result of a job failed')
    } finally {
      lease.stop()
      this.#running.delete(job)
      this.#lastJobAt = performance.now()
    }
  }

  async #attempt(job: ClaimedJob, signal: AbortSignal, lease: Lease, log: Log): Promise<string> {
    const { jobs, handlers } = this.#options
    const handler = handlers[job.kind]!
    try {
      const effect = await handler.run(job, { log, signal, progress: lease.progress })
      return (await jobs.succeed(job, effect)) ? 'succeeded' : 'lease_lost'
    } catch (err) {
      const failure = signal.aborted ? cancelled() : toFailure(err)
      log.warn({ err, code: failure.code }, 'job failed')
      if (failure.isOutage || (failure.isRetryable && job.attempt < MAX_ATTEMPTS)) {
        const retried = await jobs.retryLater(job, failure, retryDelayMs(job.attempt))
        return retried ? 'retried' : 'lease_lost'
      }
      const ended = await jobs.fail(job, failure, (tx) => handler.onFailed(tx, job.subjectId, failure))
      return ended ? 'failed' : 'lease_lost'
    }
  }

  /** Renews the lease from this process, so that a child that blocks its event loop does not lose it. */
  #keepLease(job: ClaimedJob, controller: AbortController, log: Log): Lease {
    let percent = 0
    let stage: string | null = null
    const renew = async () => {
      const held = await this.#options.jobs.renew(job, percent, stage).catch((err: unknown) => {
        log.warn({ err }, 'renewing a lease failed')
        return true
      })
      if (!held) controller.abort()
    }
    const timer = setInterval(() => void renew(), this.#options.heartbeatMs)
    return {
      progress: (now, name) => {
        percent = Math.max(0, Math.min(99, Math.round(now)))
        stage = name
      },
      stop: () => clearInterval(timer),
    }
  }

  async #reap(): Promise<void> {
    const { jobs, handlers, metrics } = this.#options
    const lost = new JobFailure('WORKER_LOST', 'The worker stopped responding.')
    const expired = await jobs.reap(
      Object.keys(handlers) as JobKind[],
      (tx, { kind, subjectId, isCancelled }) =>
        handlers[kind]!.onFailed(tx, subjectId, isCancelled ? cancelled() : lost),
    )
    metrics.lost.inc(expired)
  }

  async #repeat(everyMs: number, work: () => Promise<unknown>): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await work().catch((err: unknown) => this.#options.log.warn({ err }, 'housekeeping of jobs failed'))
      await sleep(untilTick(everyMs), undefined, { signal }).catch(() => undefined)
    }
  }
}

interface Lease {
  readonly progress: JobRun['progress']
  stop(): void
}

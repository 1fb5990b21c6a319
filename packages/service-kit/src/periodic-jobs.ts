import { untilTick } from '@bigtech/kafka'
import { StoreUnavailable } from '@bigtech/stores'
import type { Logger } from 'pino'

/** A job repeated by every process. Must be idempotent, because processes may overlap. */
export interface PeriodicJob {
  readonly name: string
  /**
   * Interval between the end of a run and the next start, with a jitter of a quarter. Runs start at whole seconds of the process; those of jobs
   * with 2 s or more at even ones, when its fetches end.
   */
  readonly everyMs: number
  readonly run: () => Promise<unknown>
}

/** A job that can be triggered. */
export interface ScheduledJob {
  /** Runs the job soon instead of at its next interval. */
  wake(): void
}

const MAX_FIRST_DELAY_MS = 1_000
const TICK_MS = 1_000
const LONG_TICK_MS = 2_000

/** Runs a job periodically. A failed run is retried at the next interval; a store outage is logged at debug. */
export class JobRunner implements ScheduledJob {
  readonly #job: PeriodicJob
  readonly #log: Logger
  #timer: NodeJS.Timeout | undefined
  #running: Promise<unknown> | undefined
  #wokenWhileRunning = false
  #state: 'idle' | 'started' | 'stopped' = 'idle'

  constructor(job: PeriodicJob, log: Logger) {
    this.#job = job
    this.#log = log
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'started'
    this.#plan(Math.random() * Math.min(this.#job.everyMs, MAX_FIRST_DELAY_MS))
  }

  wake(): void {
    if (this.#running) this.#wokenWhileRunning = true
    else this.#plan(0)
  }

  /** Waits for the current run. */
  async stop(): Promise<void> {
    this.#state = 'stopped'
    clearTimeout(this.#timer)
    await this.#running
  }

  #plan(delayMs: number): void {
    if (this.#state !== 'started') return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#run(), delayMs)
    this.#timer.unref()
  }

  #run(): void {
    const { name, everyMs, run } = this.#job
    this.#wokenWhileRunning = false
    this.#running = run()
      .catch((err: unknown) => {
        const level = err instanceof StoreUnavailable ? 'debug' : 'error'
        this.#log[level]({ err, job: name }, 'periodic job failed')
      })
      .finally(() => {
        this.#running = undefined
        // Jitter, so that processes started together do not run in step.
        this.#plan(
          this.#wokenWhileRunning
            ? 0
            : untilTick(
                everyMs * (0.75 + Math.random() / 2),
                everyMs < LONG_TICK_MS ? TICK_MS : LONG_TICK_MS,
              ),
        )
      })
  }
}

import { withTimeout } from '@bigtech/stores'
import type { Logger } from 'pino'

/** The order of shutdown: each phase stops after the phases that produce its work. */
const phases = ['streams', 'http', 'consumers', 'producers', 'stores'] as const
export type StopPhase = (typeof phases)[number]

interface StopStep {
  readonly phase: StopPhase
  readonly name: string
  readonly run: () => Promise<unknown> | unknown
}

/** Runs the registered shutdown steps in order, each with a time limit. */
export class Lifecycle {
  readonly #steps: StopStep[] = []
  readonly #log: Logger
  readonly #stepTimeoutMs: number
  #stopping: Promise<boolean> | undefined

  constructor(log: Logger, stepTimeoutMs = 8_000) {
    this.#log = log
    this.#stepTimeoutMs = stepTimeoutMs
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined
  }

  /**
   * Registers a step. Within a phase, steps run in reverse order of registration; consumers, which do not depend on each
   * other, stop at the same time: each waits for its records in flight.
   */
  onStop(phase: StopPhase, name: string, run: () => Promise<unknown> | unknown): void {
    this.#steps.push({ phase, name, run })
  }

  /** Stops everything once; later calls return the same promise. Resolves to whether every step succeeded. */
  stop(): Promise<boolean> {
    this.#stopping ??= this.#run()
    return this.#stopping
  }

  async #run(): Promise<boolean> {
    let clean = true
    for (const phase of phases) {
      const steps = this.#steps.filter((step) => step.phase === phase).reverse()
      for (const together of phase === 'consumers' ? [steps] : steps.map((step) => [step])) {
        const results = await Promise.all(together.map((step) => this.#stop(step)))
        clean &&= results.every(Boolean)
      }
    }
    return clean
  }

  async #stop({ phase, name, run }: StopStep): Promise<boolean> {
    try {
      await withTimeout(Promise.resolve(run()), this.#stepTimeoutMs, `${name} did not stop`)
      return true
    } catch (err) {
      this.#log.error({ err, phase, step: name }, 'stop step failed')
      return false
    }
  }
}

/**
 * Stops the process gracefully on SIGTERM and SIGINT, and immediately (exit 1) on an uncaught error: a
 * process in an unknown state must not accept work.
 */
export function exitOnSignals(lifecycle: Lifecycle, log: Logger): void {
  const exit = (reason: string, code: number) => {
    log.info({ reason }, 'stopping')
    void lifecycle.stop().then((clean) => process.exit(clean ? code : 1))
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => exit(signal, 0))
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.once(event, (err: unknown) => {
      log.fatal({ err }, event)
      process.exit(1)
    })
  }
}

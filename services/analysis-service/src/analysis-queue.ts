/** Runs a bounded number of tasks at a time and lets a bounded number wait. */
export class AnalysisQueue {
  readonly #slots: number
  readonly #limit: number
  readonly #waiting: (() => Promise<void>)[] = []
  readonly #running = new Set<Promise<void>>()

  constructor(slots: number, limit: number) {
    this.#slots = slots
    this.#limit = limit
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Returns false when too many wait already. @param task never throws */
  add(task: () => Promise<void>): boolean {
    if (this.#running.size < this.#slots) this.#run(task)
    else if (this.#waiting.length >= this.#limit) return false
    else this.#waiting.push(task)
    return true
  }

  /** Forgets what waits, and resolves once what runs has ended. */
  async stop(): Promise<void> {
    this.#waiting.length = 0
    await Promise.all(this.#running)
  }

  #run(task: () => Promise<void>): void {
    const running = task().finally(() => {
      this.#running.delete(running)
      const next = this.#waiting.shift()
      if (next) this.#run(next)
    })
    this.#running.add(running)
  }
}

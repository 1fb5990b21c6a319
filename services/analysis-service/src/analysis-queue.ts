/** Runs a bounded number of concurrent tasks with a bounded queue. */
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

  /** Queues a task. Returns false when the queue is full. @param task never throws */
  add(task: () => Promise<void>): boolean {
    if (this.#running.size < this.#slots) this.#run(task)
    else if (this.#waiting.length >= this.#limit) return false
    else this.#waiting.push(task)
    return true
  }

  /** Drops queued tasks and waits for running ones. */
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

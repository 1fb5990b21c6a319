/** A pass of the event loop that begins later than this after the previous one found the loop idle. */
const IDLE_GAP_MS = 10

/**
 * Measures how long requests wait unread in their sockets: everything that arrives during a pass of the event loop is read in
 * the next one. Needs no timer, so that an idle process stays idle.
 */
export class LoopDelay {
  #passBeganAt: number | undefined
  #passEndedAt = 0
  #lastPassMs = 0

  /** Returns the longest time that a request read now may have waited, in milliseconds. */
  waitedMs(): number {
    const now = performance.now()
    if (this.#passBeganAt === undefined) {
      this.#passBeganAt = now
      if (now - this.#passEndedAt > IDLE_GAP_MS) this.#lastPassMs = 0
      setImmediate(() => this.#endPass())
    }
    return this.#lastPassMs + now - this.#passBeganAt
  }

  #endPass(): void {
    this.#passEndedAt = performance.now()
    this.#lastPassMs = this.#passEndedAt - (this.#passBeganAt ?? this.#passEndedAt)
    this.#passBeganAt = undefined
  }
}

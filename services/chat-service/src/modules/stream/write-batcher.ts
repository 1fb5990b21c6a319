/** A stream with unwritten frames. */
export interface Flushable {
  /** Set by the batcher while the stream is in its list: a set of streams costs more than the rest of a frame's way. */
  isQueued: boolean
  flush(): void
}

/** Bounds what a long run delays: the loop has then other work, and frames gather anyway. */
const MAX_PAUSE_MS = 10
/** Timers are not more precise. */
const MIN_PAUSE_MS = 1

/**
 * Batches the frames of one event loop turn into one write per stream: a socket write costs several times as
 * much CPU as building a frame. After a run that took 7 ms the next one waits for 7 ms, in which frames gather, so that
 * writes leave half of the time to other work; at rest, and when messages are further apart, nothing waits.
 */
export class WriteBatcher {
  #pending: Flushable[] = []
  readonly #afterRun: (() => void)[] = []
  #scheduled = false
  /** No run begins before. */
  #pausedUntil = 0

  add(stream: Flushable): void {
    if (stream.isQueued) return
    stream.isQueued = true
    this.#pending.push(stream)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#runWhenDue())
  }

  /** Calls back when the frames queued so far are written, immediately when there are none. */
  afterWrites(callback: () => void): void {
    if (this.#scheduled) this.#afterRun.push(callback)
    else callback()
  }

  /** Checks again after the timer, which counts from the beginning of the event loop's pass and so ends early. */
  #runWhenDue(): void {
    const pauseMs = this.#pausedUntil - performance.now()
    if (pauseMs >= MIN_PAUSE_MS) setTimeout(() => this.#runWhenDue(), pauseMs)
    else this.#run()
  }

  #run(): void {
    this.#scheduled = false
    const batch = this.#pending
    this.#pending = []
    const startedAt = performance.now()
    for (const stream of batch) {
      stream.isQueued = false
      stream.flush()
    }
    const endedAt = performance.now()
    this.#pausedUntil = endedAt + Math.min(endedAt - startedAt, MAX_PAUSE_MS)
    for (const callback of this.#afterRun.splice(0)) callback()
  }
}

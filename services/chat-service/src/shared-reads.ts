import { setTimeout as delay } from 'node:timers/promises'

/** Bounds what a hung read delays: the next one no longer waits for it. */
const LATE_MS = 50

/**
 * Shares equal reads: those asked for while one is in flight get the result of one more, which begins after it. Not a
 * cache: every read begins after it was asked for. The readers of a busy room, who all fetch its last page, cost two reads.
 */
export class SharedReads<Value> {
  readonly #running = new Map<string, Promise<Value>>()
  readonly #next = new Map<string, Promise<Value>>()

  /** @param key identifies the result: equal keys must have equal reads */
  get(key: string, read: () => Promise<Value>): Promise<Value> {
    const waiting = this.#next.get(key)
    if (waiting) return waiting
    const running = this.#running.get(key)
    if (!running) return this.#start(key, read)
    const next = Promise.race([
      running.catch(() => undefined),
      delay(LATE_MS, undefined, { ref: false }),
    ]).then(() => {
      this.#next.delete(key)
      return this.#start(key, read)
    })
    this.#next.set(key, next)
    return next
  }

  #start(key: string, read: () => Promise<Value>): Promise<Value> {
    const reading = read()
    this.#running.set(key, reading)
    const ended = () => {
      if (this.#running.get(key) === reading) this.#running.delete(key)
    }
    reading.then(ended, ended)
    return reading
  }
}

/** Something that has gathered output. */
export interface Flushable {
  flush(): void
}

const BUSY_FLUSHES = 100
const BUSY_DELAY_MS = 4
const QUIET_MS = 20

/**
 * Lets every connection of the process write once for all the frames that came meanwhile: a socket
 * write costs several times the making of a frame. At rest there is no delay; under load a few ms.
 */
export class Flusher {
  readonly #dirty = new Set<Flushable>()
  #scheduled = false
  #lastBusyAt = 0

  add(connection: Flushable): void {
    this.#dirty.add(connection)
    if (this.#scheduled) return
    this.#scheduled = true
    if (performance.now() - this.#lastBusyAt < QUIET_MS) setTimeout(() => this.#run(), BUSY_DELAY_MS)
    else setImmediate(() => this.#run())
  }

  #run(): void {
    this.#scheduled = false
    const batch = [...this.#dirty]
    this.#dirty.clear()
    for (const connection of batch) connection.flush()
    if (batch.length >= BUSY_FLUSHES) this.#lastBusyAt = performance.now()
  }
}

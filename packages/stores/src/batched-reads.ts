/** Bounds what a hung read delays: later keys no longer wait for it. */
const LATE_MS = 50
const MAX_KEYS = 200

interface Waiting<Value> {
  readonly promise: Promise<Value | undefined>
  resolve(value: Value | undefined): void
  reject(err: unknown): void
}

/**
 * Reads of single rows, read together: those that are asked for in one turn of the event loop, and those that are asked for while
 * a read is in flight. Under load one statement serves many requests. Not a cache: every read begins after it was asked for.
 */
export class BatchedReads<Value> {
  readonly #readAll: (keys: readonly number[]) => Promise<ReadonlyMap<number, Value>>
  readonly #maxKeys: number
  #waiting = new Map<number, Waiting<Value>>()
  #running = 0
  #timer: NodeJS.Timeout | undefined
  #turn: NodeJS.Immediate | undefined

  /**
   * @param readAll returns the values of the keys that have one
   * @param options.maxKeys number of waiting keys that are read without waiting for the read in flight
   */
  constructor(
    readAll: (keys: readonly number[]) => Promise<ReadonlyMap<number, Value>>,
    { maxKeys = MAX_KEYS }: { readonly maxKeys?: number } = {},
  ) {
    this.#readAll = readAll
    this.#maxKeys = maxKeys
  }

  /** Returns the value of a key. @throws what the read throws */
  get(key: number): Promise<Value | undefined> {
    const waiting = this.#waiting.get(key) ?? Promise.withResolvers<Value | undefined>()
    this.#waiting.set(key, waiting)
    if (this.#waiting.size >= this.#maxKeys) this.#start()
    // After the requests that have arrived with this one.
    else if (this.#running === 0) this.#turn ??= setImmediate(() => this.#start())
    else this.#timer ??= setTimeout(() => this.#start(), LATE_MS)
    return waiting.promise
  }

  #start(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#turn)
    this.#timer = undefined
    this.#turn = undefined
    const batch = this.#waiting
    if (batch.size === 0) return
    this.#waiting = new Map()
    this.#running++
    void this.#read(batch).finally(() => {
      this.#running--
      if (this.#running === 0) this.#start()
    })
  }

  async #read(batch: ReadonlyMap<number, Waiting<Value>>): Promise<void> {
    try {
      const values = await this.#readAll([...batch.keys()])
      for (const [key, { resolve }] of batch) resolve(values.get(key))
    } catch (err) {
      for (const { reject } of batch.values()) reject(err)
    }
  }
}

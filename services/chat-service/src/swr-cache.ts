import { startAtZero, upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import { Counter, type Registry } from 'prom-client'

export interface SwrCacheOptions<Value extends object> {
  /** A label of `cache_requests_total`. */
  readonly name: string
  readonly max: number
  /** Age after which a value is revalidated in the background, without delaying callers. */
  readonly freshMs: number
  /** Limits the memory by the size of the values, in addition to their number. */
  readonly maxSize?: number
  readonly sizeOf?: (value: Value) => number
}

interface Entry<Value> {
  readonly value: Value
  checkedAt: number
}

const RETRY_AFTER_FAILURE_MS = 5_000
const counters = new WeakMap<Registry, Counter<'cache' | 'result'>>()

/**
 * A stale-while-revalidate cache of database values. Events invalidate changed values; periodic revalidation
 * covers lost events. During an outage of the database stale values are served.
 *
 * A value whose read began before an invalidation is returned to its callers but not cached, because the read
 * may have seen the state before the change.
 */
export class SwrCache<Value extends object> {
  readonly #options: SwrCacheOptions<Value>
  readonly #entries: LRUCache<string, Entry<Value>>
  readonly #reading = new Map<string, Promise<Value | undefined>>()
  readonly #requests: Counter<'cache' | 'result'>

  constructor(options: SwrCacheOptions<Value>, registry: Registry) {
    const { max, maxSize, sizeOf } = options
    this.#options = options
    this.#entries = new LRUCache<string, Entry<Value>>({
      ...(maxSize
        ? { max, maxSize, sizeCalculation: ({ value }) => Math.max(1, sizeOf?.(value) ?? 1) }
        : upToEntries(max)),
    })
    this.#requests = counterOf(registry)
    startAtZero(this.#requests, { cache: [options.name], result: ['hit', 'miss'] })
  }

  /** Returns the value of a key; never caches `undefined` (a missing value). */
  async get(key: string, read: () => Promise<Value | undefined>): Promise<Value | undefined> {
    const value = this.#known(key, read)
    this.#count(value ? 1 : 0, value ? 0 : 1)
    return value ?? this.#read(key, read)
  }

  /** Like `get` for several keys: reads missing values in one call. Omits keys without a value. */
  async getMany(
    keys: readonly string[],
    readAll: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
  ): Promise<Map<string, Value>> {
    const missing: string[] = []
    let together: Promise<ReadonlyMap<string, Value>> | undefined
    const read = async (key: string) => {
      missing.push(key)
      // All missing keys are collected before the first promise resolves.
      together ??= Promise.resolve().then(() => readAll(missing))
      return (await together).get(key)
    }
    const known = new Map<string, Value>()
    const late: Promise<readonly [string, Value | undefined]>[] = []
    for (const key of keys) {
      const value = this.#known(key, () => read(key))
      if (value) known.set(key, value)
      else late.push(this.#read(key, () => read(key)).then((found) => [key, found]))
    }
    this.#count(keys.length - late.length, late.length)
    // Usual, and in a room of thousands of members half of the work.
    if (late.length === 0) return known
    const found = new Map(await Promise.all(late))
    return new Map(
      keys.flatMap((key) => {
        const value = known.get(key) ?? found.get(key)
        return value ? [[key, value] as const] : []
      }),
    )
  }

  drop(key: string): void {
    this.#entries.delete(key)
    this.#reading.delete(key)
  }

  /** Returns the cached value, and revalidates one that is not fresh. */
  #known(key: string, read: () => Promise<Value | undefined>): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry && Date.now() - entry.checkedAt > this.#options.freshMs) this.#readAgain(key, entry, read)
    return entry?.value
  }

  #count(hits: number, misses: number): void {
    const { name: cache } = this.#options
    if (hits > 0) this.#requests.inc({ cache, result: 'hit' }, hits)
    if (misses > 0) this.#requests.inc({ cache, result: 'miss' }, misses)
  }

  #readAgain(key: string, entry: Entry<Value>, read: () => Promise<Value | undefined>): void {
    // Regardless of the result, concurrent callers must not all retry.
    entry.checkedAt = Date.now() - this.#options.freshMs + RETRY_AFTER_FAILURE_MS
    void this.#read(key, read).catch(() => undefined)
  }

  #read(key: string, read: () => Promise<Value | undefined>): Promise<Value | undefined> {
    const running = this.#reading.get(key)
    if (running) return running
    const reading = read().then(
      (value) => {
        if (this.#reading.get(key) === reading) this.#keep(key, value)
        return value
      },
      (err: unknown) => {
        if (this.#reading.get(key) === reading) this.#reading.delete(key)
        throw err
      },
    )
    this.#reading.set(key, reading)
    return reading
  }

  #keep(key: string, value: Value | undefined): void {
    this.#reading.delete(key)
    if (value === undefined) this.#entries.delete(key)
    else this.#entries.set(key, { value, checkedAt: Date.now() })
  }
}

function counterOf(registry: Registry): Counter<'cache' | 'result'> {
  const known = counters.get(registry)
  if (known) return known
  const counter = new Counter({
    name: 'cache_requests_total',
    help: 'Cache requests, by whether the value was cached.',
    labelNames: ['cache', 'result'],
    registers: [registry],
  })
  counters.set(registry, counter)
  return counter
}

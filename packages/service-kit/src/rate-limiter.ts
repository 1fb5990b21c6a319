import type { Redis } from 'ioredis'
import { Counter, type Registry } from 'prom-client'
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible'
import { Problem } from './problem.ts'
import type { RedisStore } from './redis.ts'

export interface Limit {
  /** A label of `rate_limited_total`, and part of the key. */
  readonly name: string
  /** Maximum per window; `Infinity` disables the limit. */
  readonly max: number
  /** Length of the window in whole seconds; a window begins with its first count. */
  readonly windowSeconds: number
  /**
   * Decide from the process's own count and add it to the shared one every second, so that no request waits for Redis.
   * N processes may together admit N times `max` within the first second of a window: for limits against loops.
   */
  readonly isWriteBehind?: boolean
}

export interface RateLimiterOptions {
  readonly registry: Registry
  /** Prefix of the service's keys, for example `rate_limit:`. */
  readonly keyPrefix: string
  /** Shared by all processes. Without Redis each process counts on its own. */
  readonly redis?: RedisStore
  readonly log: { warn(fields: { err: unknown }, message: string): void }
}

interface Counters {
  readonly windowSeconds: number
  readonly keyOf: (subject: string | number) => string
  readonly local: RateLimiterAbstract
  readonly shared: RateLimiterAbstract | undefined
  /** Admitted here and not yet added to the shared count, by subject. */
  readonly pending: Map<string | number, number>
}

const FLUSH_MS = 1_000
/** Bounds how long one script stops Redis. */
const SUBJECTS_A_SCRIPT = 200

/**
 * Adds to several counts like the library's script to one: a command for each subject costs several times as much CPU. The arguments
 * are the length of the window in seconds and the cost of each key; returns each sum and the milliseconds until its window ends.
 */
const ADD_COUNTS = `
local result = {}
for i, key in ipairs(KEYS) do
  redis.call('set', key, 0, 'EX', ARGV[1], 'NX')
  local sum = redis.call('incrby', key, ARGV[i + 1])
  local left = redis.call('pttl', key)
  if left == -1 then
    redis.call('expire', key, ARGV[1])
    left = 1000 * ARGV[1]
  end
  result[i] = {sum, left}
end
return result`

/**
 * Counts requests per subject in a fixed window across all processes (`isWriteBehind`: added to the shared count within a second).
 * During a Redis outage each process continues with its local count (rate-limiter-flexible's own insurance
 * limiter would start from zero): limits are looser but never absent, and never fail a request.
 */
export class RateLimiter {
  readonly #options: RateLimiterOptions
  readonly #refused: Counter<'limit'>
  readonly #counters = new Map<string, Counters>()
  #isRedisDown = false
  #flushTimer: NodeJS.Timeout | undefined

  constructor(options: RateLimiterOptions) {
    this.#options = options
    // The library's first limiter defines its command on the client. Defined during a request, the command
    // would be missing in a pipeline already in progress: an uncaught exception (ioredis issue 1931).
    if (options.redis) new RateLimiterRedis({ storeClient: options.redis.client, points: 1, duration: 1 })
    this.#refused = new Counter({
      name: 'rate_limited_total',
      help: 'Requests rejected because the subject exceeded a limit.',
      labelNames: ['limit'],
      registers: [options.registry],
    })
  }

  /**
   * @param cost weight of this request, 1 or more
   * @throws Problem RATE_LIMITED with the time until the window expires
   */
  async take(limit: Limit, subject: string | number, cost = 1): Promise<void> {
    const counters = this.#countersOf(limit)
    const { local, shared } = counters
    const here = await consume(local, subject, cost)
    const sum =
      shared && !limit.isWriteBehind ? await this.#ask(() => consume(shared, subject, cost)) : undefined
    const { consumedPoints, msBeforeNext } = sum ?? here
    if (consumedPoints <= limit.max) {
      if (shared && limit.isWriteBehind) this.#flushLater(counters, subject, cost)
      return
    }
    this.#refused.inc({ limit: limit.name })
    throw new Problem('RATE_LIMITED', { retryAfterSeconds: Math.max(0, msBeforeNext) / 1_000 })
  }

  /** Resets the count of this subject. */
  async forget(limit: Limit, subject: string | number): Promise<void> {
    const { local, shared, pending } = this.#countersOf(limit)
    pending.delete(subject)
    await local.delete(subject)
    if (shared) await this.#ask(() => shared.delete(subject))
  }

  #flushLater({ pending }: Counters, subject: string | number, cost: number): void {
    pending.set(subject, (pending.get(subject) ?? 0) + cost)
    this.#flushTimer ??= setTimeout(() => {
      this.#flushTimer = undefined
      for (const counters of this.#counters.values()) void this.#flush(counters)
    }, FLUSH_MS).unref()
  }

  /** Adds what was admitted here to the shared count, and continues from the sum. */
  async #flush({ local, pending, windowSeconds, keyOf }: Counters): Promise<void> {
    const flushed = [...pending]
    pending.clear()
    for (let start = 0; start < flushed.length; start += SUBJECTS_A_SCRIPT) {
      const some = flushed.slice(start, start + SUBJECTS_A_SCRIPT)
      const keys = some.map(([subject]) => keyOf(subject))
      const costs = some.map(([, cost]) => cost)
      const sums = await this.#ask((client) =>
        client.eval(ADD_COUNTS, keys.length, ...keys, windowSeconds, ...costs),
      )
      for (const [index, [sum, leftMs]] of ((sums ?? []) as [number, number][]).entries()) {
        const [subject] = some[index]!
        if (leftMs > 0) await local.set(subject, sum + (pending.get(subject) ?? 0), leftMs / 1_000)
      }
    }
  }

  #countersOf({ name, max, windowSeconds }: Limit): Counters {
    const id = `${name}:${max}:${windowSeconds}`
    const known = this.#counters.get(id)
    if (known) return known
    const { keyPrefix, redis } = this.#options
    // The library rejects an infinite number.
    const points = Math.min(max, Number.MAX_SAFE_INTEGER)
    const options = { keyPrefix: `${keyPrefix}${name}`, points, duration: windowSeconds }
    const counters = {
      local: new RateLimiterMemory(options),
      shared: redis && new RateLimiterRedis({ ...options, storeClient: redis.client }),
      pending: new Map(),
      windowSeconds,
      keyOf: (subject: string | number) => `${options.keyPrefix}:${subject}`,
    }
    this.#counters.set(id, counters)
    return counters
  }

  /** Returns undefined while Redis is unavailable; a hanging Redis costs one timeout, not one per request. */
  async #ask<Result>(work: (client: Redis) => Promise<Result>): Promise<Result | undefined> {
    const { redis, log } = this.#options
    if (!redis?.healthy) return undefined
    try {
      const result = await redis.run('rateLimit', work)
      this.#isRedisDown = false
      return result
    } catch (err) {
      if (!this.#isRedisDown) log.warn({ err }, 'Redis is unavailable, limits are counted per process')
      this.#isRedisDown = true
      return undefined
    }
  }
}

/** Returns the count even above the limit, where the library rejects with it. */
async function consume(limiter: RateLimiterAbstract, subject: string | number, cost: number) {
  try {
    return await limiter.consume(subject, cost)
  } catch (err) {
    if (err instanceof RateLimiterRes) return err
    throw err
  }
}

import { LRUCache } from 'lru-cache'
import { Counter, type Registry } from 'prom-client'
import { Problem } from './problem.ts'

export interface Limit {
  /** A label of `rate_limited_total`, and part of the key. */
  readonly name: string
  readonly max: number
  /** A window begins with the first of what is counted. */
  readonly windowSeconds: number
}

interface Count {
  count: number
  endsAt: number
}

export interface RateLimiterOptions {
  readonly registry: Registry
  /** What the service's keys begin with, for example `rate_limit:`. */
  readonly keyPrefix: string
  /**
   * Runs a script on one key of the Redis that all processes share; rejects soon while that is away. A service
   * without a Redis leaves it out: each process then counts for itself.
   */
  readonly runScript?: (script: string, key: string, ...args: number[]) => Promise<unknown>
  readonly log: { warn(fields: { err: unknown }, message: string): void }
}

/** Counting and its deadline in one step: a counter without one would count for ever. */
const TAKE = `
local count = redis.call('INCRBY', KEYS[1], ARGV[2])
if count == tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return { count, redis.call('PTTL', KEYS[1]) }`

const FORGET = `return redis.call('DEL', KEYS[1])`

const AWAY_MS = 1_000

/**
 * Counts what somebody does in a window of time, over all processes. While Redis is away each process goes on
 * with what it has counted itself: a limit is then looser, never gone, and never the reason why something fails.
 */
export class RateLimiter {
  readonly #options: RateLimiterOptions
  readonly #refused: Counter<'limit'>
  readonly #local = new LRUCache<string, Count>({ max: 50_000 })
  #awayUntil = Number.NEGATIVE_INFINITY
  #isAway = false

  constructor(options: RateLimiterOptions) {
    this.#options = options
    this.#refused = new Counter({
      name: 'rate_limited_total',
      help: 'Requests refused because somebody asked too often.',
      labelNames: ['limit'],
      registers: [options.registry],
    })
  }

  /**
   * @param cost how much this time counts, 1 or more
   * @throws Problem RATE_LIMITED with the time until the window is over.
   */
  async take({ name, max, windowSeconds }: Limit, subject: string | number, cost = 1): Promise<void> {
    const key = this.#key(name, subject)
    const windowMs = windowSeconds * 1_000
    const here = this.#countHere(key, windowMs, cost)
    const { count, endsAt } = (await this.#countShared(key, windowMs, cost)) ?? here
    if (count <= max) return
    this.#refused.inc({ limit: name })
    throw new Problem('RATE_LIMITED', { retryAfterSeconds: Math.max(0, endsAt - Date.now()) / 1_000 })
  }

  /** Begins anew for this subject. */
  async forget({ name }: Limit, subject: string | number): Promise<void> {
    const key = this.#key(name, subject)
    this.#local.delete(key)
    await this.#shared(FORGET, key)
  }

  #key(name: string, subject: string | number): string {
    return `${this.#options.keyPrefix}${name}:${subject}`
  }

  #countHere(key: string, windowMs: number, cost: number): Count {
    const now = Date.now()
    const known = this.#local.get(key)
    const window = known && known.endsAt > now ? known : { count: 0, endsAt: now + windowMs }
    window.count += cost
    this.#local.set(key, window)
    return { ...window }
  }

  async #countShared(key: string, windowMs: number, cost: number): Promise<Count | undefined> {
    const answer = (await this.#shared(TAKE, key, windowMs, cost)) as [number, number] | undefined
    return answer && { count: answer[0], endsAt: Date.now() + answer[1] }
  }

  /** One that hangs costs a time-out: nobody else asks for a moment after it. */
  async #shared(script: string, key: string, ...args: number[]): Promise<unknown> {
    const { runScript } = this.#options
    if (!runScript || Date.now() < this.#awayUntil) return undefined
    try {
      const answer = await runScript(script, key, ...args)
      this.#isAway = false
      return answer
    } catch (err) {
      this.#awayUntil = Date.now() + AWAY_MS
      if (!this.#isAway) this.#options.log.warn({ err }, 'limits are counted by each process for itself')
      this.#isAway = true
      return undefined
    }
  }
}

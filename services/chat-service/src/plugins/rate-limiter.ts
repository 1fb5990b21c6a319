import { Problem } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import { Counter, type Registry } from 'prom-client'
import type { ChatRedis } from './redis.ts'

export interface Limit {
  /** A label of `rate_limited_total`, and part of the key. */
  readonly name: string
  readonly max: number
  readonly windowSeconds: number
}

const AWAY_MS = 1_000

/**
 * Counts in fixed windows, over all processes. Without Redis each process counts for itself: a
 * limit is then looser, never gone, and never the reason why something fails.
 */
export class RateLimiter {
  readonly #redis: ChatRedis
  readonly #refused: Counter<'limit'>
  #awayUntil = 0
  readonly #local = new LRUCache<string, number>({ max: 50_000 })

  constructor(redis: ChatRedis, registry: Registry) {
    this.#redis = redis
    this.#refused = new Counter({
      name: 'rate_limited_total',
      help: 'Requests refused because somebody asked too often.',
      labelNames: ['limit'],
      registers: [registry],
    })
  }

  /** @throws Problem RATE_LIMITED with the seconds until the window is over. */
  async take(limit: Limit, subject: string | number): Promise<void> {
    const { name, max, windowSeconds } = limit
    const nowMs = Date.now()
    const window = Math.floor(nowMs / 1_000 / windowSeconds)
    const key = `chat:limit:${name}:${subject}:${window}`
    const count = await this.#count(key, windowSeconds)
    if (count <= max) return
    this.#refused.inc({ limit: name })
    throw new Problem('RATE_LIMITED', { retryAfterSeconds: (window + 1) * windowSeconds - nowMs / 1_000 })
  }

  async #count(key: string, windowSeconds: number): Promise<number> {
    const local = (this.#local.get(key) ?? 0) + 1
    this.#local.set(key, local, { ttl: windowSeconds * 1_000 })
    const { commands } = this.#redis
    if (commands.status !== 'ready' || Date.now() < this.#awayUntil) return local
    try {
      const [count] = await Promise.all([commands.incr(key), commands.expire(key, windowSeconds + 1)])
      return count
    } catch {
      // One that hangs would cost everybody its time-out.
      this.#awayUntil = Date.now() + AWAY_MS
      return local
    }
  }
}

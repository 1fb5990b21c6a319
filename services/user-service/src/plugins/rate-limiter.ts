import { Problem, StoreUnavailable } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import { Counter, type Registry } from 'prom-client'
import type { RedisStore } from './redis.ts'

interface Limit {
  readonly max: number
  readonly windowMs: number
}

/** Counts what somebody does in a window of time, over all processes. */
export interface RateLimiter {
  /** @throws Problem RATE_LIMITED with the time until the window ends. */
  take(limit: string, subject: string, rule: Limit): Promise<void>
  /** Begins anew for this subject. */
  forget(limit: string, subject: string): Promise<void>
}

/** Counting and its deadline in one step: a counter without one would count for ever. */
const TAKE = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return { count, redis.call('PTTL', KEYS[1]) }`

/**
 * Limits in Redis. While it is away each process counts for itself: too lenient by the number of
 * processes, but neither unlimited nor shut.
 */
export function createRateLimiter(redis: RedisStore, registry: Registry): RateLimiter {
  const local = new LRUCache<string, { count: number; endsAt: number }>({ max: 50_000 })
  const limited = new Counter({
    name: 'rate_limited_total',
    help: 'Requests refused by a limit.',
    labelNames: ['limit'] as const,
    registers: [registry],
  })

  async function count(key: string, windowMs: number): Promise<{ count: number; restMs: number }> {
    if (!redis.healthy) return countHere(key, windowMs)
    try {
      const [value, restMs] = (await redis.run('rateLimit', (client) =>
        client.eval(TAKE, 1, key, windowMs),
      )) as [number, number]
      return { count: value, restMs }
    } catch (err) {
      if (!(err instanceof StoreUnavailable)) throw err
      return countHere(key, windowMs)
    }
  }

  function countHere(key: string, windowMs: number): { count: number; restMs: number } {
    const now = Date.now()
    const known = local.get(key)
    const window = known && known.endsAt > now ? known : { count: 0, endsAt: now + windowMs }
    window.count++
    local.set(key, window)
    return { count: window.count, restMs: window.endsAt - now }
  }

  return {
    take: async (limit, subject, { max, windowMs }) => {
      const { count: used, restMs } = await count(keyOf(limit, subject), windowMs)
      if (used <= max) return
      limited.inc({ limit })
      throw new Problem('RATE_LIMITED', { retryAfterSeconds: restMs / 1_000 })
    },
    forget: async (limit, subject) => {
      local.delete(keyOf(limit, subject))
      await redis
        .run('rateLimit', (client) => client.del(keyOf(limit, subject)))
        .catch((err: unknown) => {
          if (!(err instanceof StoreUnavailable)) throw err
        })
    },
  }
}

function keyOf(limit: string, subject: string): string {
  return `rate_limit:${limit}:${subject}`
}

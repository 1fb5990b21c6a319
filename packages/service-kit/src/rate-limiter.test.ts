import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem } from './problem.ts'
import { type Limit, RateLimiter } from './rate-limiter.ts'

const limit: Limit = { name: 'search', max: 2, windowSeconds: 60 }

/** A Redis of the kind that the limiter needs, shared by several of them; it can be taken away. */
function sharedStore() {
  const counts = new Map<string, number>()
  const store = {
    counts,
    isAway: false,
    asked: 0,
    runScript: async (script: string, key: string, _windowMs?: number, cost = 1) => {
      store.asked += 1
      if (store.isAway) throw new Error('away')
      if (script.includes('DEL')) return counts.delete(key)
      counts.set(key, (counts.get(key) ?? 0) + cost)
      return [counts.get(key), 30_000]
    },
  }
  return store
}

function limiterOn(store: ReturnType<typeof sharedStore>) {
  const warn = vi.fn()
  const registry = new Registry()
  const limiter = new RateLimiter({ registry, keyPrefix: 'k:', runScript: store.runScript, log: { warn } })
  return { limiter, registry, warn }
}

async function refusalOf(work: Promise<void>): Promise<Problem> {
  const error = await work.catch((err: unknown) => err)
  if (!(error instanceof Problem)) throw new Error('nothing was refused')
  return error
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a limit', () => {
  it('holds over all processes, and says when its window is over', async () => {
    const store = sharedStore()
    const [one, other] = [limiterOn(store), limiterOn(store)]
    await one.limiter.take(limit, 7)
    await other.limiter.take(limit, 7)
    const refusal = await refusalOf(one.limiter.take(limit, 7))
    expect(refusal.code).toBe('RATE_LIMITED')
    expect(refusal.retryAfterSeconds).toBe(30)
    expect(await one.registry.metrics()).toContain('rate_limited_total{limit="search"} 1')
    await one.limiter.take(limit, 8)
  })

  it('counts by cost, and in the process alone when there is no shared store', async () => {
    const limiter = new RateLimiter({ registry: new Registry(), keyPrefix: 'k:', log: { warn: vi.fn() } })
    await limiter.take(limit, 7, 2)
    expect((await refusalOf(limiter.take(limit, 7, 1))).code).toBe('RATE_LIMITED')
    await expect(limiter.take(limit, 8, 2)).resolves.toBeUndefined()
  })

  it('goes on with what was counted here when the store goes away, until its window is over', async () => {
    const store = sharedStore()
    const { limiter, warn } = limiterOn(store)
    await limiter.take(limit, 7)
    store.isAway = true
    await limiter.take(limit, 7)
    expect((await refusalOf(limiter.take(limit, 7))).retryAfterSeconds).toBe(60)
    expect(warn).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(60_000)
    await limiter.take(limit, 7)
  })

  it('asks a store that failed again after a second, not for every request', async () => {
    const store = sharedStore()
    const { limiter } = limiterOn(store)
    store.isAway = true
    await limiter.take(limit, 1)
    await limiter.take(limit, 2)
    expect(store.asked).toBe(1)
    store.isAway = false
    vi.advanceTimersByTime(1_000)
    await limiter.take(limit, 3)
    expect(store.counts.get('k:search:3')).toBe(1)
  })

  it('that is forgotten begins anew, here and for all', async () => {
    const store = sharedStore()
    const { limiter } = limiterOn(store)
    await limiter.take(limit, 7)
    await limiter.take(limit, 7)
    await limiter.forget(limit, 7)
    expect(store.counts.size).toBe(0)
    await limiter.take(limit, 7)
  })
})

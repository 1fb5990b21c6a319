import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SwrCache } from './swr-cache.ts'

type Fact = { readonly text: string }
let cache: SwrCache<Fact>
const fact = (text: string) => async () => ({ text })
const textOf = async (read: () => Promise<Fact | undefined>) => (await cache.get('key', read))?.text

beforeEach(() => {
  vi.useFakeTimers()
  cache = new SwrCache<Fact>({ name: 'facts', max: 10, freshMs: 1_000 }, new Registry())
})
afterEach(() => vi.useRealTimers())

describe('SwrCache', () => {
  it('the cache reads a value once for concurrent callers', async () => {
    const read = vi.fn(fact('a'))
    await Promise.all([textOf(read), textOf(read), textOf(read)])
    expect(await textOf(read)).toBe('a')
    expect(read).toHaveBeenCalledTimes(1)
  })

  it('the cache never stores a missing value', async () => {
    expect(await textOf(async () => undefined)).toBeUndefined()
    expect(await textOf(fact('now'))).toBe('now')
  })

  it('the cache reads again after an invalidation', async () => {
    await textOf(fact('before'))
    cache.drop('key')
    expect(await textOf(fact('after'))).toBe('after')
  })

  it('the cache does not store a value whose read began before its invalidation', async () => {
    const slow = Promise.withResolvers<Fact>()
    const waiting = textOf(() => slow.promise)
    cache.drop('key')
    slow.resolve({ text: 'from before the change' })
    expect(await waiting).toBe('from before the change')
    expect(await textOf(fact('after'))).toBe('after')
  })

  it('a slow read from before the invalidation does not replace a fast one from after it', async () => {
    const slow = Promise.withResolvers<Fact>()
    const waiting = textOf(() => slow.promise)
    cache.drop('key')
    await textOf(fact('after'))
    slow.resolve({ text: 'from before' })
    await waiting
    expect(await textOf(fact('not asked'))).toBe('after')
  })

  it('the cache serves a stale value immediately and revalidates it in the background', async () => {
    await textOf(fact('old'))
    vi.advanceTimersByTime(1_500)
    expect(await textOf(fact('new'))).toBe('old')
    await vi.advanceTimersByTimeAsync(0)
    expect(await textOf(fact('not asked'))).toBe('new')
  })

  it('the cache drops a stale value that no longer exists', async () => {
    await textOf(fact('old'))
    vi.advanceTimersByTime(1_500)
    expect(await textOf(async () => undefined)).toBe('old')
    await vi.advanceTimersByTimeAsync(0)
    expect(await textOf(async () => undefined)).toBeUndefined()
  })

  it('the cache serves a stale value while the store is unavailable, and retries only every few seconds', async () => {
    await textOf(fact('old'))
    const failing = vi.fn(async () => {
      throw new Error('unavailable')
    })
    for (let ms = 0; ms < 20_000; ms += 100) {
      vi.advanceTimersByTime(100)
      expect(await textOf(failing)).toBe('old')
      await vi.advanceTimersByTimeAsync(0)
    }
    expect(failing.mock.calls.length).toBeGreaterThan(2)
    expect(failing.mock.calls.length).toBeLessThan(6)
  })

  it('the cache fails without a cached value while the store is unavailable', async () => {
    await expect(
      textOf(async () => {
        throw new Error('unavailable')
      }),
    ).rejects.toThrow('unavailable')
    expect(await textOf(fact('back'))).toBe('back')
  })

  it('the cache reads the missing ones of several values in one call, each once', async () => {
    await cache.get('a', fact('A'))
    const readAll = vi.fn(
      async (keys: readonly string[]) => new Map(keys.map((key) => [key, { text: key.toUpperCase() }])),
    )
    const slow = cache.get('d', fact('D'))
    const found = await cache.getMany(['a', 'b', 'c', 'd'], readAll)
    await slow
    expect([...found]).toEqual(['a', 'b', 'c', 'd'].map((key) => [key, { text: key.toUpperCase() }]))
    expect(readAll.mock.calls).toEqual([[['b', 'c']]])
    expect(await cache.getMany(['b', 'x'], async () => new Map())).toEqual(new Map([['b', { text: 'B' }]]))
  })

  it('the cache stores nothing that was invalidated while several values were read', async () => {
    const slow = Promise.withResolvers<Map<string, Fact>>()
    const waiting = cache.getMany(['key', 'b'], () => slow.promise)
    cache.drop('key')
    slow.resolve(
      new Map([
        ['key', { text: 'old' }],
        ['b', { text: 'B' }],
      ]),
    )
    expect((await waiting).get('key')).toEqual({ text: 'old' })
    expect(await textOf(fact('new'))).toBe('new')
  })
})

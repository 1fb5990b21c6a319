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
  it('reads a fact once, for everybody who asks meanwhile', async () => {
    const read = vi.fn(fact('a'))
    await Promise.all([textOf(read), textOf(read), textOf(read)])
    expect(await textOf(read)).toBe('a')
    expect(read).toHaveBeenCalledTimes(1)
  })

  it('never remembers that there is nothing', async () => {
    expect(await textOf(async () => undefined)).toBeUndefined()
    expect(await textOf(fact('now'))).toBe('now')
  })

  it('reads again after it was dropped', async () => {
    await textOf(fact('before'))
    cache.drop('key')
    expect(await textOf(fact('after'))).toBe('after')
  })

  it('does not keep what was being read when it was dropped', async () => {
    const slow = Promise.withResolvers<Fact>()
    const waiting = textOf(() => slow.promise)
    cache.drop('key')
    slow.resolve({ text: 'from before the change' })
    expect(await waiting).toBe('from before the change')
    expect(await textOf(fact('after'))).toBe('after')
  })

  it('lets a slow read from before the drop not replace a quick one from after it', async () => {
    const slow = Promise.withResolvers<Fact>()
    const waiting = textOf(() => slow.promise)
    cache.drop('key')
    await textOf(fact('after'))
    slow.resolve({ text: 'from before' })
    await waiting
    expect(await textOf(fact('not asked'))).toBe('after')
  })

  it('answers an old fact at once, and reads it again behind', async () => {
    await textOf(fact('old'))
    vi.advanceTimersByTime(1_500)
    expect(await textOf(fact('new'))).toBe('old')
    await vi.advanceTimersByTimeAsync(0)
    expect(await textOf(fact('not asked'))).toBe('new')
  })

  it('forgets an old fact that is none any more', async () => {
    await textOf(fact('old'))
    vi.advanceTimersByTime(1_500)
    expect(await textOf(async () => undefined)).toBe('old')
    await vi.advanceTimersByTimeAsync(0)
    expect(await textOf(async () => undefined)).toBeUndefined()
  })

  it('goes on with an old fact while the store is away, and asks it every few seconds only', async () => {
    await textOf(fact('old'))
    const failing = vi.fn(async () => {
      throw new Error('away')
    })
    for (let ms = 0; ms < 20_000; ms += 100) {
      vi.advanceTimersByTime(100)
      expect(await textOf(failing)).toBe('old')
      await vi.advanceTimersByTimeAsync(0)
    }
    expect(failing.mock.calls.length).toBeGreaterThan(2)
    expect(failing.mock.calls.length).toBeLessThan(6)
  })

  it('fails when there is no fact and the store is away', async () => {
    await expect(
      textOf(async () => {
        throw new Error('away')
      }),
    ).rejects.toThrow('away')
    expect(await textOf(fact('back'))).toBe('back')
  })

  it('reads together those of several that are not in memory, each once', async () => {
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

  it('keeps nothing of what was dropped while several were read', async () => {
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

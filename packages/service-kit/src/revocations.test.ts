import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { RevocationList } from './revocations.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('the revocation list keeps a revoked session for the lifetime of its tokens, counted from the time of receipt', () => {
  const list = new RevocationList(600_000)
  const revoked: string[] = []
  list.onRevoked((sessionIds) => revoked.push(...sessionIds))
  list.add(['a'])
  vi.advanceTimersByTime(599_000)
  list.add(['b'])
  expect([list.has('a'), list.has('b'), list.has('c')]).toEqual([true, true, false])
  vi.advanceTimersByTime(2_000)
  list.add(['c'])
  expect([list.has('a'), list.has('b')]).toEqual([false, true])
  expect(revoked).toEqual(['a', 'b', 'c'])
})

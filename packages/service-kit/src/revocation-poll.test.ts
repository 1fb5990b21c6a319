import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { pollRevocations, type RevocationSource } from './revocation-poll.ts'
import { RevocationList } from './revocations.ts'

const START = Date.parse('2026-01-27T10:00:00Z')
const page = (sessionIds: readonly string[], secondsAgo = 0) => ({
  asOf: new Date(),
  revocations: sessionIds.map((sessionId) => ({
    sessionId,
    revokedAt: new Date(Date.now() - secondsAgo * 1_000),
  })),
  hasMore: false,
})
const never = () => new Promise<never>(() => {})

let stop: () => void
const follow = (source: RevocationSource) => {
  const revocations = new RevocationList()
  ;({ stop } = pollRevocations(source, revocations))
  return revocations
}

beforeEach(() => {
  vi.useFakeTimers({ now: START })
})
afterEach(() => {
  stop()
  vi.useRealTimers()
})

it('asks for ended sessions once, then waits for the next one without asking every second', async () => {
  const source = { read: vi.fn(async () => page([])), await: vi.fn(never) }
  follow(source)
  await vi.advanceTimersByTimeAsync(5_000)
  expect([source.read.mock.calls.length, source.await.mock.calls.length]).toEqual([1, 1])
})

it('tells user-service how many of the ended sessions it knows already, so that only another one is news', async () => {
  const awaited = vi.fn<NonNullable<RevocationSource['await']>>(never)
  const revocations = follow({
    read: async () => ({
      ...page(['recent'], 5),
      revocations: [...page(['old'], 30).revocations, ...page(['recent'], 5).revocations],
    }),
    await: awaited,
  })
  await vi.advanceTimersByTimeAsync(1_000)
  expect(['old', 'recent'].map((id) => revocations.has(id))).toEqual([true, true])
  expect(awaited.mock.calls).toEqual([[new Date(START - 10_000), 1]])
})

it('asks at most once a second when user-service responds without waiting', async () => {
  const source = { read: vi.fn(async () => page([])), await: vi.fn(async () => page([])) }
  follow(source)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(source.await.mock.calls.length).toBe(10)
})

it.each([
  ['without a response', never],
  ['with an error', async () => Promise.reject(new Error('reset'))],
])('asks again without waiting after a request that ended %s', async (_how, failing) => {
  const source = { read: vi.fn(async () => page([])), await: vi.fn(failing) }
  const revocations = follow(source)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(source.await.mock.calls.length).toBe(1)
  source.read.mockImplementation(async () => page(['ended']))
  await vi.advanceTimersByTimeAsync(5_500 + 50)
  expect(revocations.has('ended')).toBe(true)
})

it('asks again after a response that is later than 0.5 s, unless it waits for news', async () => {
  const read = vi.fn(never)
  follow({ read, await: vi.fn(never) })
  await vi.advanceTimersByTimeAsync(550)
  expect(read.mock.calls.length).toBe(2)
})

it('reads ended sessions when there is one more than known, and in 5 s otherwise', async () => {
  const read = vi.fn(async () => page([]))
  const isNew = vi.fn<NonNullable<RevocationSource['isNew']>>(async () => false)
  const revocations = follow({ read, isNew })
  await vi.advanceTimersByTimeAsync(4_500)
  expect(read).toHaveBeenCalledTimes(1)
  expect(isNew.mock.calls).toEqual(Array(4).fill([new Date(START - 10_000), 0]))
  await vi.advanceTimersByTimeAsync(1_500)
  expect(read).toHaveBeenCalledTimes(2)
  read.mockImplementation(async () => page(['ended']))
  isNew.mockImplementationOnce(async () => true)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(revocations.has('ended')).toBe(true)
})

it('reads without asking first after a question for new sessions has failed', async () => {
  const read = vi.fn(async () => page([]))
  follow({ read, isNew: vi.fn(never) })
  await vi.advanceTimersByTimeAsync(1_000)
  read.mockClear()
  await vi.advanceTimersByTimeAsync(500 + 100)
  expect(read).toHaveBeenCalledTimes(1)
})

import { RevocationList } from '@bigtech/service-kit'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { RevocationNews } from './revocation-news.ts'

const since = new Date('2026-01-27T10:00:00Z')

/** A list in memory; `end` ends a session as a process of this service does. */
function setup() {
  const ended: string[] = []
  const list = new RevocationList()
  const readSince = vi.fn(async () => ({
    asOf: new Date(),
    revocations: ended.map((sessionId) => ({ sessionId, revokedAt: since })),
    hasMore: false,
  }))
  const news = new RevocationNews({ since: readSince }, list)
  const end = (id: string) => {
    ended.push(id)
    list.add([id])
  }
  const ask = (known: number, waitMs: number) => {
    const answer = vi.fn()
    void news
      .since({ since, known, waitMs })
      .then(({ revocations }) => answer(revocations.map(({ sessionId }) => sessionId)))
    return answer
  }
  return { news, end, ask, readSince }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('responds to a waiting service as soon as a session ends', async () => {
  const { end, ask } = setup()
  end('first')
  const answer = ask(1, 5_000)
  await vi.advanceTimersByTimeAsync(4_000)
  expect(answer).not.toHaveBeenCalled()
  end('second')
  await vi.advanceTimersByTimeAsync(0)
  expect(answer).toHaveBeenCalledWith(['first', 'second'])
  expect(vi.getTimerCount()).toBe(0)
})

it('responds to a waiting service when a session ends while the list is being read', async () => {
  const { end, ask, readSince } = setup()
  const page = await readSince()
  readSince.mockImplementationOnce(async () => {
    end('during')
    return page
  })
  const answer = ask(0, 5_000)
  await vi.advanceTimersByTimeAsync(0)
  expect(answer).toHaveBeenCalledWith(['during'])
})

it.each([
  ['at once to a service that does not wait', 0, 1],
  ['at once to a service that does not know a session', 5_000, 0],
])('responds %s', async (_to, waitMs, known) => {
  const { end, ask } = setup()
  end('first')
  const answer = ask(known, waitMs)
  await vi.advanceTimersByTimeAsync(0)
  expect(answer).toHaveBeenCalledWith(['first'])
})

it('responds to all services that wait without news at the same moment', async () => {
  const { ask } = setup()
  const answers = [ask(0, 5_000)]
  await vi.advanceTimersByTimeAsync(700)
  answers.push(ask(0, 5_000))
  for (let waitedMs = 0; answers[0]!.mock.calls.length === 0 && waitedMs <= 5_000; waitedMs++)
    await vi.advanceTimersByTimeAsync(1)
  for (const answer of answers) expect(answer).toHaveBeenCalledWith([])
})

it('responds with what is known after the time that a service wants to wait', async () => {
  const { ask, readSince } = setup()
  const answer = ask(0, 5_000)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(answer).toHaveBeenCalledWith([])
  expect(readSince).toHaveBeenCalledOnce()
})

it('responds to every waiting service when it stops, and lets none wait afterwards', async () => {
  const { news, ask } = setup()
  const before = ask(0, 5_000)
  await vi.advanceTimersByTimeAsync(0)
  news.stop()
  const after = ask(0, 5_000)
  await vi.advanceTimersByTimeAsync(0)
  expect([before, after].map((answer) => answer.mock.calls)).toEqual([[[[]]], [[[]]]])
})

import type { Statement } from '@bigtech/stores'
import { expect, it, vi } from 'vitest'
import type { Mysql } from '../../infrastructure/mysql.ts'
import { createRevocationsRepository } from './revocations.repository.ts'

const PAGE = 5_000
const now = new Date('2026-01-27T10:00:00Z')
const secondsAgo = (seconds: number) => new Date(now.getTime() - seconds * 1_000)

/** A list with a session that ended in each of the last `count` seconds. */
function setup(count: number) {
  const ended = Array.from({ length: count }, (_, index) => ({
    now,
    sessionId: `ended ${index + 1} s ago`,
    revokedAt: secondsAgo(index + 1),
  })).reverse()
  const read = vi.fn(async (_operation: string, { values }: Statement) => {
    const found = ended.filter(({ revokedAt }) => revokedAt >= (values[0] as Date)).slice(0, PAGE)
    return found.length > 0 ? found : [{ now, sessionId: null, revokedAt: null }]
  })
  const mysql = { read } as unknown as Mysql
  return { read, revocations: createRevocationsRepository(mysql) }
}

it('requests that end together share one read, and each gets the sessions since its own time', async () => {
  const { read, revocations } = setup(5)
  const pages = await Promise.all([1, 4, 2, 0].map((seconds) => revocations.since(secondsAgo(seconds))))
  expect(pages.map((page) => page.revocations.length)).toEqual([1, 4, 2, 0])
  expect(pages.map(({ asOf }) => asOf)).toEqual(Array(4).fill(now))
  expect(read).toHaveBeenCalledTimes(1)
})

it('a request that comes later begins a read of its own, and sees what ended in between', async () => {
  const { read, revocations } = setup(3)
  const first = revocations.since(secondsAgo(5))
  await vi.waitFor(() => expect(read).toHaveBeenCalledTimes(1))
  const second = revocations.since(secondsAgo(5))
  await Promise.all([first, second])
  expect(read).toHaveBeenCalledTimes(2)
})

it('a request gets its own sessions although the page that it shares is full of older ones', async () => {
  const { revocations } = setup(PAGE + 2)
  const [older, newer] = await Promise.all([
    revocations.since(secondsAgo(PAGE + 2)),
    revocations.since(secondsAgo(2)),
  ])
  expect([older.hasMore, newer.hasMore]).toEqual([true, false])
  expect(newer.revocations.map(({ sessionId }) => sessionId)).toEqual(['ended 2 s ago', 'ended 1 s ago'])
})

import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, expect, it, vi } from 'vitest'
import { type QueuedWrite, RoomWriteQueue } from './room-write-queue.ts'

type Write = QueuedWrite<number, number>

function queueOf(
  write: (roomId: number, batch: readonly Write[]) => Promise<readonly Write[]>,
  options: { maxBatch?: number; sizeOf?: () => number } = {},
) {
  return new RoomWriteQueue<number, number>({ write, maxBatch: 10, maxWaitingInRoom: 20, ...options })
}

const settleAll = (batch: readonly Write[]) => {
  for (const { item, resolve } of batch) resolve(item)
  return []
}

afterEach(() => vi.useRealTimers())

it('the write queue writes one batch of a room at a time and other rooms in parallel', async () => {
  const batches: string[] = []
  const running = new Set<number>()
  const release = Promise.withResolvers<void>()
  const queue = queueOf(async (roomId, batch) => {
    expect(running.has(roomId)).toBe(false)
    running.add(roomId)
    batches.push(`${roomId}: ${batch.map(({ item }) => item)}`)
    if (roomId === 1) await release.promise
    running.delete(roomId)
    return settleAll(batch)
  })
  const writes = [1, 2, 3].map((item) => queue.add(1, item))
  await new Promise((resolve) => setImmediate(resolve))
  writes.push(queue.add(1, 4), queue.add(1, 5))
  expect(await queue.add(2, 6)).toBe(6)
  release.resolve()
  expect(await Promise.all(writes)).toEqual([1, 2, 3, 4, 5])
  expect(batches).toEqual(['1: 1,2,3', '2: 6', '1: 4,5'])
})

it('the write queue writes a batch in the context of its first request', async () => {
  const request = new AsyncLocalStorage<number>()
  const contexts: (number | undefined)[] = []
  const queue = queueOf(
    async (_roomId, batch) => {
      await new Promise((resolve) => setImmediate(resolve))
      contexts.push(request.getStore())
      return settleAll(batch)
    },
    { maxBatch: 2 },
  )
  const addAll = (items: number[]) => items.map((item) => request.run(item, () => queue.add(1, item)))
  const writes = addAll([1, 2, 3, 4, 5])
  await writes[0]
  writes.push(...addAll([6, 7]))
  await Promise.all(writes)
  expect(contexts).toEqual([1, 3, 5, 7])
})

it('the write queue limits a batch by number of writes and by 1 MiB', async () => {
  const sizes: number[] = []
  const write = async (_roomId: number, batch: readonly Write[]) => {
    sizes.push(batch.length)
    return settleAll(batch)
  }
  const byCount = queueOf(write, { maxBatch: 2 })
  await Promise.all([1, 2, 3].map((item) => byCount.add(1, item)))
  const byBytes = queueOf(write, { sizeOf: () => 400 * 1024 })
  await Promise.all([1, 2, 3, 4].map((item) => byBytes.add(1, item)))
  expect(sizes).toEqual([2, 1, 3, 1])
})

it('the write queue retries only the writes returned as undecided, and rejects the rest of a failed batch', async () => {
  const attempts: number[][] = []
  const queue = queueOf(async (_roomId, batch) => {
    attempts.push(batch.map(({ item }) => item))
    if (attempts.length === 3) throw new Error('unavailable')
    batch[0]!.resolve(batch[0]!.item)
    return batch.slice(1)
  })
  const outcomes = await Promise.allSettled([1, 2, 3].map((item) => queue.add(1, item)))
  expect(attempts).toEqual([[1, 2, 3], [2, 3], [3]])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
})

it("the write queue rejects a write beyond the room's limit immediately with OVERLOADED", async () => {
  const queue = queueOf(async (_roomId, batch) => settleAll(batch))
  const outcomes = await Promise.allSettled(Array.from({ length: 21 }, (_, item) => queue.add(1, item)))
  expect(outcomes.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'OVERLOADED' } })
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(20)
  expect(await queue.add(1, 22)).toBe(22)
})

it('the write queue rejects a write after waiting 1.7 s and does not write it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const written: number[] = []
  const first = Promise.withResolvers<void>()
  const queue = queueOf(
    async (_roomId, batch) => {
      written.push(...batch.map(({ item }) => item))
      await first.promise
      return settleAll(batch)
    },
    { maxBatch: 1 },
  )
  const outcomes = Promise.allSettled([queue.add(1, 1), queue.add(1, 2)])
  await new Promise((resolve) => setImmediate(resolve))
  vi.advanceTimersByTime(1_700)
  const late = queue.add(1, 3)
  first.resolve()
  expect((await outcomes).map((each) => each.status === 'rejected' && each.reason.constructor.name)).toEqual([
    'StoreUnavailable',
    'StoreUnavailable',
  ])
  expect(await late).toBe(3)
  expect(written).toEqual([1, 3])
})

import { describe, expect, it } from 'vitest'
import type { StoredRecord } from '../driver/port.ts'
import { PartitionWorker } from './partition-worker.ts'

const records = (from: number, to: number): StoredRecord[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({
    topic: 't',
    partition: 0,
    offset: from + i,
    timestamp: 0,
    key: null,
    value: null,
    headers: {},
  }))
const batch = (from: number, to: number) => ({
  topic: 't',
  partition: 0,
  highWatermark: 10_000,
  records: records(from, to),
})

function start(process: (records: readonly StoredRecord[]) => Promise<number>) {
  const done: number[] = []
  const pauses: boolean[] = []
  const worker = new PartitionWorker({
    topic: 't',
    partition: 0,
    after: Promise.resolve(),
    process,
    onDone: ({ offset }) => done.push(offset),
    setPaused: (paused) => pauses.push(paused),
  })
  return { worker, done, pauses }
}

describe('PartitionWorker', () => {
  it('a partition worker handles the records sequentially', async () => {
    let running = 0
    const { worker, done } = start(async () => {
      expect(++running).toBe(1)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return 1
    })
    worker.enqueue(batch(0, 20))
    worker.enqueue(batch(21, 40))
    await worker.settled
    expect(done).toEqual(Array.from({ length: 41 }, (_, i) => i))
  })

  it('a partition worker continues after the records that were handled together', async () => {
    const seen: number[][] = []
    const { worker, done } = start(async (some) => {
      seen.push(some.map(({ offset }) => offset))
      return Math.min(3, some.length)
    })
    worker.enqueue(batch(0, 4))
    await worker.settled
    expect(seen).toEqual([
      [0, 1, 2, 3, 4],
      [3, 4],
    ])
    expect(done).toEqual([2, 4])
  })

  it('a partition worker handles each record once although a rebalance fetches it again', async () => {
    const { worker, done } = start(async () => 1)
    worker.enqueue(batch(0, 5))
    worker.enqueue(batch(2, 8))
    await worker.settled
    expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('a partition worker restarts from the beginning when the log was replaced by a shorter one', async () => {
    const { worker, done } = start(async () => 1)
    worker.enqueue(batch(500, 501))
    worker.enqueue({ ...batch(0, 1), highWatermark: 2 })
    await worker.settled
    expect(done).toEqual([500, 501, 0, 1])
  })

  it('a partition worker pauses fetching above the high-water mark and resumes below the low-water mark', async () => {
    const { worker, pauses } = start(async () => 1)
    worker.enqueue(batch(0, 500))
    expect(pauses).toEqual([true])
    await worker.settled
    expect(pauses).toEqual([true, false])
  })

  it('a partition worker starts no record after being dropped', async () => {
    const gate = Promise.withResolvers<number>()
    const { worker, done } = start(() => gate.promise)
    worker.enqueue(batch(0, 5))
    await new Promise((resolve) => setImmediate(resolve))
    worker.drop()
    gate.resolve(1)
    await worker.settled
    expect(done).toEqual([0])
  })

  it('a partition worker waits for the in-flight record of its predecessor', async () => {
    const before = Promise.withResolvers<void>()
    const done: number[] = []
    const worker = new PartitionWorker({
      topic: 't',
      partition: 0,
      after: before.promise,
      process: async () => 1,
      onDone: ({ offset }) => done.push(offset),
      setPaused: () => {},
    })
    worker.enqueue(batch(7, 7))
    await new Promise((resolve) => setImmediate(resolve))
    expect(done).toEqual([])
    before.resolve()
    await worker.settled
    expect(done).toEqual([7])
  })
})

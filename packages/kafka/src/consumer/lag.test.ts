import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { KafkaConnection } from '../kafka.ts'
import { kafkaMetrics } from '../metrics.ts'
import { LagReporter } from './lag.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

/** A group with both partitions of a topic, whose broker has committed 3 in the first one and stores offsets 2 to 9. */
function setup() {
  const committed = vi.fn(async () => [{ topic: 'a.t', partition: 0, offset: 3 }])
  const offsets = vi.fn(async () => [0, 1].map((partition) => ({ partition, low: 2, high: 10 })))
  const kafka = {
    topicPrefix: 'a.',
    driver: { admin: { committed, offsets } },
  } as unknown as KafkaConnection
  const metrics = kafkaMetrics(new Registry())
  const workers = new Map([0, 1].map((partition) => [String(partition), { topic: 'a.t', partition }]))
  const log = pino({ level: 'silent' })
  const lag = new LagReporter({ kafka, groupId: 'g', metrics, workers, log })
  const reported = async () => {
    await lag.report()
    const { values } = await metrics.lag.get()
    return Object.fromEntries(values.map(({ labels, value }) => [labels.partition, value]))
  }
  const fetched = (...ends: number[]) => {
    for (const [partition, offset] of ends.entries()) lag.noteEnd({ topic: 'a.t', partition, offset })
  }
  return { lag, workers, reported, fetched, committed, offsets }
}

it('the lag of a group that fetches and commits is known without a question to the broker', async () => {
  const { lag, reported, fetched, committed, offsets } = setup()
  fetched(10, 10)
  expect(await reported()).toEqual({ 0: 7, 1: 8 })
  committed.mockClear()
  offsets.mockClear()
  for (const offset of [8, 12]) {
    fetched(12, 20)
    lag.noteCommitted([
      { topic: 'a.t', partition: 0, offset },
      { topic: 'a.t', partition: 1, offset },
    ])
    expect(await reported()).toEqual({ 0: 12 - offset, 1: 20 - offset })
  }
  expect(committed).not.toHaveBeenCalled()
  expect(offsets).not.toHaveBeenCalled()
})

it('the lag of a stalled partition, which is not fetched, grows with its end at the broker', async () => {
  const { reported, fetched, offsets } = setup()
  fetched(3, 2)
  expect(await reported()).toEqual({ 0: 0, 1: 0 })
  vi.advanceTimersByTime(15_000)
  fetched(3)
  offsets.mockClear()
  expect(await reported()).toEqual({ 0: 7, 1: 8 })
  expect(offsets).toHaveBeenCalledTimes(1)
})

it('the lag after an assignment counts what another member has committed in the meantime', async () => {
  const { lag, reported, fetched, committed } = setup()
  fetched(10, 10)
  expect(await reported()).toEqual({ 0: 7, 1: 8 })
  committed.mockResolvedValue([0, 1].map((partition) => ({ topic: 'a.t', partition, offset: 9 })))
  lag.forgetCommitted()
  expect(await reported()).toEqual({ 0: 1, 1: 1 })
})

it('a commit during the question for committed positions is not overwritten by its older answer', async () => {
  const { lag, reported, fetched, committed } = setup()
  fetched(10, 10)
  committed.mockImplementation(async () => {
    lag.noteCommitted([{ topic: 'a.t', partition: 0, offset: 10 }])
    return [{ topic: 'a.t', partition: 0, offset: 3 }]
  })
  expect(await reported()).toMatchObject({ 0: 0 })
})

it('the lag of a partition that belongs to another member is no longer reported', async () => {
  const { workers, reported } = setup()
  expect(await reported()).toEqual({ 0: 7, 1: 8 })
  workers.delete('0')
  expect(await reported()).toEqual({ 1: 8 })
})

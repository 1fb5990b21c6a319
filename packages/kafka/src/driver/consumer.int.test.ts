import { createRequire } from 'node:module'
import { afterEach, beforeEach, expect, it, type Mock, vi } from 'vitest'
import { accepted, createTestBed, recordOf, type TestBed, TOPIC } from '../../testing/support.ts'
import { createPublisher, type Publisher } from '../publisher/publisher.ts'
import type { ConsumerOptions, ConsumerPort, RecordBatch } from './port.ts'

/** A fetch without records waits a fifth of it, longer than the limits of these tests. */
const SESSION_TIMEOUT_MS = 20_000

const require = createRequire(import.meta.url)
const { prototype: broker } = require('kafkajs/src/broker') as {
  prototype: Record<'metadata' | 'fetch' | 'heartbeat', (...args: unknown[]) => Promise<unknown>>
}

let bed: TestBed
let publisher: Publisher
const consumers: ConsumerPort[] = []

beforeEach(async () => {
  bed = await createTestBed(3)
  publisher = createPublisher({ kafka: bed.kafka })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all(consumers.splice(0).map((consumer) => consumer.close()))
  await publisher.stop()
  await bed.remove()
})

async function consume(
  onBatch: (batch: RecordBatch) => void = () => {},
  gatherMs = 0,
  more: Partial<ConsumerOptions> = {},
) {
  const onJoin = vi.fn()
  const onActivity = vi.fn()
  const consumer = bed.kafka.driver.createConsumer({
    groupId: `${bed.prefix}group`,
    topics: [bed.prefix + TOPIC],
    startFrom: 'earliest',
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    gatherMs,
    onJoin,
    onBatch,
    onCrash: (error) => expect.fail(error.message),
    onActivity,
    ...more,
  })
  consumers.push(consumer)
  await consumer.start()
  await vi.waitFor(() => expect(onJoin).toHaveBeenCalled(), 20_000)
  return { consumer, onJoin, onActivity }
}

/** Waits for the end of the fetch in flight; the next one waits for records. */
async function nextFetch(onActivity: Mock): Promise<void> {
  onActivity.mockClear()
  await vi.waitFor(() => expect(onActivity).toHaveBeenCalled(), 10_000)
}

it('a consumer that waits for records stops at once, and its partitions go to another member of the group', async () => {
  const records = vi.fn()
  const { consumer, onActivity } = await consume()
  await publisher.publish([recordOf(accepted(1))])
  await nextFetch(onActivity)
  const startedAt = performance.now()
  await consumer.close()
  expect(performance.now() - startedAt).toBeLessThan(2_000)
  await consume(records)
  await vi.waitFor(() => expect(records).toHaveBeenCalled(), 2_000)
})

it('a consumer stops at once at any step between two fetches', async () => {
  await publisher.publish([recordOf(accepted(1))])
  for (const steps of Array(60).keys()) {
    const received = Promise.withResolvers<void>()
    const { consumer } = await consume(() => received.resolve())
    await received.promise
    // The client takes a step of its own during each.
    for (let step = 0; step < steps; step++) await undefined
    const startedAt = performance.now()
    await consumer.close()
    expect(performance.now() - startedAt, `after ${steps} steps`).toBeLessThan(2_000)
  }
}, 30_000)

it('a consumer that waits for records gets a new record at once', async () => {
  const records = vi.fn()
  await consume(records)
  await publisher.publish([recordOf(accepted(1))])
  await vi.waitFor(() => expect(records).toHaveBeenCalledTimes(1), 3_000)
  await publisher.publish([recordOf(accepted(2))])
  await vi.waitFor(() => expect(records).toHaveBeenCalledTimes(2), 3_000)
})

it('a partition that is resumed while another fetch waits is fetched within seconds', async () => {
  const records = vi.fn()
  const { consumer, onActivity } = await consume(records)
  await publisher.publish([recordOf(accepted(1))])
  await vi.waitFor(() => expect(records).toHaveBeenCalledTimes(1), 3_000)
  const { partition } = records.mock.lastCall![0] as RecordBatch
  consumer.pause(bed.prefix + TOPIC, partition)
  await publisher.publish([recordOf(accepted(2))])
  await nextFetch(onActivity)
  expect(records).toHaveBeenCalledTimes(1)
  consumer.resume(bed.prefix + TOPIC, partition)
  await vi.waitFor(() => expect(records).toHaveBeenCalledTimes(2), 3_000)
})

/** Publishes several records to every partition. */
const publishToAll = () =>
  publisher.publish(Array.from({ length: 48 }, (_, n) => recordOf(accepted(n, 2 + (n % 12)))))

it('a consumer that gathers gets the records of all partitions at once, and rests before its next fetch', async () => {
  const GATHER_MS = 1_000
  const fetched: { at: number; partition: number; records: number }[] = []
  const records = () => fetched.reduce((sum, each) => sum + each.records, 0)
  await publishToAll()
  await consume(
    (batch) =>
      void fetched.push({
        at: performance.now(),
        partition: batch.partition,
        records: batch.records.length,
      }),
    GATHER_MS,
  )
  await vi.waitFor(() => expect(records()).toBe(48), 10_000)
  const first = fetched.splice(0)
  expect(new Set(first.map(({ partition }) => partition)).size).toBe(3)
  expect(first.at(-1)!.at - first[0]!.at).toBeLessThan(GATHER_MS)
  await publishToAll()
  await vi.waitFor(() => expect(records()).toBe(48), 10_000)
  expect(fetched[0]!.at - first[0]!.at).toBeGreaterThan(GATHER_MS - 50)
  expect(fetched.at(-1)!.at - fetched[0]!.at).toBeLessThan(GATHER_MS)
})

it('a consumer that gathers rests also when records arrive one after the other', async () => {
  const GATHER_MS = 2_000
  const arrived: number[] = []
  await consume(() => void arrived.push(performance.now()), GATHER_MS)
  for (let n = 1; n <= 5; n++) {
    await publisher.publish([recordOf(accepted(n))])
    await vi.waitFor(() => expect(arrived).toHaveLength(n), 10_000)
  }
  // The first four come as they are published.
  expect(arrived[3]! - arrived[0]!).toBeLessThan(GATHER_MS)
  expect(arrived[4]! - arrived[3]!).toBeGreaterThan(GATHER_MS - 100)
})

it('a consumer that gathers does not delay its close', async () => {
  const records = vi.fn()
  await publishToAll()
  const { consumer } = await consume(records, 60_000)
  await vi.waitFor(() => expect(records).toHaveBeenCalled(), 10_000)
  const startedAt = performance.now()
  await consumer.close()
  expect(performance.now() - startedAt).toBeLessThan(5_000)
})

it('a fetch tells the end of every partition, also without new records', async () => {
  const onEnd = vi.fn()
  const records = vi.fn()
  await consume(records, 0, { onEnd })
  await publisher.publish([recordOf(accepted(1))])
  const ends = () =>
    new Map(onEnd.mock.calls.map(([topic, partition, end]) => [`${topic} ${partition}`, end]))
  const toldAll = () => {
    const of = (partition: number) => ends().get(`${bed.prefix + TOPIC} ${partition}`)
    expect([0, 1, 2].map(of).sort()).toEqual([0, 0, 1])
  }
  await vi.waitFor(toldAll, 10_000)
  await vi.waitFor(() => expect(records).toHaveBeenCalled(), 10_000)
  onEnd.mockClear()
  await vi.waitFor(toldAll, 10_000)
  expect(records).toHaveBeenCalledOnce()
}, 40_000)

/** Waits until every partition is fetched: a busy broker refuses the leader of a new topic for a moment, and the client joins again. */
async function settled(records: Mock): Promise<void> {
  await publishToAll()
  const count = () =>
    records.mock.calls.reduce((sum, [batch]) => sum + (batch as RecordBatch).records.length, 0)
  await vi.waitFor(() => expect(count()).toBe(48), 20_000)
  records.mockClear()
}

it('a consumer at rest asks for no metadata until a fetch fails', async () => {
  const records = vi.fn()
  const { onActivity } = await consume(records)
  await settled(records)
  const metadata = vi.spyOn(broker, 'metadata')
  await nextFetch(onActivity)
  await nextFetch(onActivity)
  expect(metadata).not.toHaveBeenCalled()
  vi.spyOn(broker, 'fetch').mockRejectedValueOnce(new Error('the leader does not answer'))
  await vi.waitFor(() => expect(metadata).toHaveBeenCalled(), 10_000)
  await publisher.publish([recordOf(accepted(1))])
  await vi.waitFor(() => expect(records).toHaveBeenCalled(), 10_000)
}, 40_000)

it('the only member of a group keeps its membership with one heartbeat in several fetches', async () => {
  const records = vi.fn()
  const { onJoin } = await consume(records, 0, { sessionTimeoutMs: 6_000, isOnlyMember: true })
  await settled(records)
  onJoin.mockClear()
  const heartbeat = vi.spyOn(broker, 'heartbeat')
  const fetch = vi.spyOn(broker, 'fetch')
  await vi.waitFor(() => expect(heartbeat).toHaveBeenCalledTimes(2), 20_000)
  expect(fetch.mock.calls.length).toBeGreaterThanOrEqual(5)
  expect(onJoin).not.toHaveBeenCalled()
}, 40_000)

import type { ConsumerRunConfig, EachBatchPayload, Kafka } from 'kafkajs'
import { afterEach, expect, it, vi } from 'vitest'
import { createConsumer } from './consumer.ts'

afterEach(() => vi.useRealTimers())

/** A client that passes batches of this many records, and the number of records received. */
async function setUp(gatherMs: number) {
  let config: ConsumerRunConfig | undefined
  const client = {
    events: {},
    on: () => undefined,
    connect: async () => undefined,
    subscribe: async () => undefined,
    run: async (given: ConsumerRunConfig) => {
      config = given
    },
    disconnect: async () => undefined,
  }
  let received = 0
  const port = createConsumer(() => ({ consumer: () => client }) as unknown as Kafka, {
    groupId: 'g',
    topics: ['t'],
    startFrom: 'earliest',
    sessionTimeoutMs: 10_000,
    gatherMs,
    onJoin: () => undefined,
    onBatch: ({ records }) => {
      received += records.length
    },
    onCrash: () => undefined,
    onActivity: () => undefined,
  })
  await port.start()
  /** Returns whether the client may fetch again. */
  const take = (records: number) => {
    let isTaken = false
    const messages = Array.from({ length: records }, (_, offset) => ({
      offset: String(offset),
      timestamp: '0',
    }))
    const batch = { topic: 't', partition: 0, highWatermark: '9', messages }
    void config!.eachBatch!({ batch } as unknown as EachBatchPayload).then(() => {
      isTaken = true
    })
    return async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return isTaken
    }
  }
  return { port, take, received: () => received }
}

it('a consumer that gathers passes every batch at once, and fetches at most once per interval while several records arrive', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const { take, received } = await setUp(400)
  expect(await take(10)()).toBe(true)
  const second = take(10)
  expect(received()).toBe(20)
  expect(await second()).toBe(false)
  vi.advanceTimersByTime(399)
  expect(await second()).toBe(false)
  vi.advanceTimersByTime(1)
  expect(await second()).toBe(true)
  // At rest events are handled as they come.
  expect(await take(1)()).toBe(true)
})

it('a consumer that gathers does not delay its close', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const { port, take } = await setUp(400)
  take(10)
  const second = take(10)
  expect(await second()).toBe(false)
  await port.close()
  expect(await second()).toBe(true)
})

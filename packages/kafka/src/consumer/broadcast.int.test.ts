import { once as onceEvent } from 'node:events'
import { friendRequestAccepted } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  accepted,
  createTestBed,
  kill,
  killAll,
  log,
  recordOf,
  startProcess,
  type TestBed,
} from '../../testing/support.ts'
import { KafkaUnavailable } from '../errors.ts'
import { createPublisher, type Publisher } from '../publisher/publisher.ts'
import { type BroadcastConsumer, type BroadcastOptions, createBroadcastConsumer } from './broadcast.ts'
import { on } from './handlers.ts'

let bed: TestBed
let publisher: Publisher
const consumers: BroadcastConsumer[] = []

beforeEach(async () => {
  bed = await createTestBed()
  publisher = createPublisher({ kafka: bed.kafka })
})
afterEach(async () => {
  await killAll()
  for (const consumer of consumers.splice(0)) await consumer.stop()
  await publisher.stop()
  await bed.remove()
})

function listen(options: Partial<BroadcastOptions> = {}) {
  const seen: number[] = []
  const consumer = createBroadcastConsumer({
    kafka: bed.kafka,
    name: 'test',
    log,
    onFatal: (error) => {
      throw error
    },
    handlers: [on(friendRequestAccepted, async ({ request_id }) => void seen.push(request_id))],
    ...options,
  })
  consumers.push(consumer)
  consumer.start()
  return { consumer, seen }
}

const publish = (from: number, to: number) =>
  publisher.publish(
    Array.from({ length: to - from + 1 }, (_, i) => recordOf(accepted(from + i - 1, 2 + ((from + i) % 7)))),
  )
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)
const sorted = (seen: number[]) => seen.toSorted((a, b) => a - b)

describe('broadcast consumer', () => {
  it('a broadcast consumer delivers every event to every process', async () => {
    const listeners = [listen(), listen()]
    for (const { consumer } of listeners) await consumer.ready
    await publish(1, 50)
    for (const { seen } of listeners) {
      await waitFor(() => seen.length === 50)
      expect(sorted(seen)).toEqual(upTo(50))
    }
  })

  it('a broadcast consumer is ready only after replaying the requested period', async () => {
    await publish(1, 300)
    const { consumer, seen } = listen({ sinceMs: 60_000 })
    expect(consumer.health()).toEqual({ ok: false, caughtUp: false })
    await consumer.ready
    expect(sorted(seen)).toEqual(upTo(300))
  })

  it('a broadcast consumer marks events published before its start', async () => {
    await publish(1, 5)
    const before: number[] = []
    const after: number[] = []
    const handler = on(friendRequestAccepted, async ({ request_id }, { beforeStart }) => {
      if (beforeStart) before.push(request_id)
      else after.push(request_id)
    })
    const { consumer } = listen({ sinceMs: 60_000, handlers: [handler] })
    await consumer.ready
    await publish(6, 9)
    await waitFor(() => after.length === 4)
    expect([sorted(before), sorted(after)]).toEqual([upTo(5), [6, 7, 8, 9]])
  })

  it('a broadcast consumer without events to replay is ready when new events arrive', async () => {
    const { consumer, seen } = listen({ sinceMs: 60_000 })
    await consumer.ready
    expect(consumer.health()).toEqual({ ok: true, caughtUp: true })
    expect(seen).toEqual([])
  })

  it('a broadcast consumer is ready after a kill -9 without waiting for the session timeout of the dead process', async () => {
    await publish(1, 50)
    const sessionTimeoutMs = 30_000
    const first = startProcess(new URL('../../testing/broadcast-process.ts', import.meta.url), {
      brokers: bed.brokers,
      prefix: bed.prefix,
      sessionTimeoutMs,
    })
    await onceEvent(first, 'message')
    await kill(first)
    const { consumer, seen } = listen({ sinceMs: 60_000, sessionTimeoutMs })
    await waitFor(() => consumer.health().ok, { timeoutMs: 5_000 })
    expect(sorted(seen)).toEqual(upTo(50))
  }, 40_000)

  it('a broadcast consumer skips events older than the requested period', async () => {
    await publish(1, 20)
    // The period is counted in real time from the brokers' timestamps.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    const { consumer, seen } = listen({ sinceMs: 1_000 })
    await consumer.ready
    await publish(21, 30)
    await waitFor(() => seen.length === 10)
    expect(sorted(seen)).toEqual(upTo(30).slice(20))
  })

  it('a broadcast consumer continues with the next event when a handler throws, and counts the failure by event type', async () => {
    const seen: number[] = []
    const handler = on(friendRequestAccepted, async ({ request_id }) => {
      if (request_id === 1) throw new Error('x')
      seen.push(request_id)
    })
    const registry = new Registry()
    const { consumer } = listen({ handlers: [handler], sinceMs: 60_000, registry })
    await consumer.ready
    await publisher.publish([recordOf(accepted(0)), recordOf(accepted(1))])
    await waitFor(() => seen.length === 1)
    const counted = await registry.getSingleMetric('kafka_consumer_events_total')!.get()
    const labels = counted.values.map((each) => ({ ...each.labels, value: each.value }))
    const common = { topic: 'friend.events', event_type: 'FriendRequestAccepted', value: 1 }
    expect(labels).toContainEqual({ ...common, result: 'dead' })
  })

  it('a broadcast consumer neither misses nor repeats an event when its consumer is replaced', async () => {
    let crash: (error: Error) => void = () => {}
    const { driver } = bed.kafka
    let fetched = 0
    const createConsumer: typeof driver.createConsumer = (options) => {
      crash = options.onCrash
      const onBatch: typeof options.onBatch = (batch) => {
        fetched += batch.records.length
        options.onBatch(batch)
      }
      return driver.createConsumer({ ...options, onBatch })
    }
    const { consumer, seen } = listen({ kafka: { ...bed.kafka, driver: { ...driver, createConsumer } } })
    await consumer.ready
    await publish(1, 100)
    await waitFor(() => seen.length === 100)
    crash(new KafkaUnavailable('simulated outage'))
    await waitFor(() => !consumer.health().ok)
    await publish(101, 200)
    await waitFor(() => seen.length >= 200, { timeoutMs: 20_000 })
    expect(sorted(seen)).toEqual(upTo(200))
    // The new consumer resumed at its positions without reading any record again.
    expect(fetched).toBe(200)
  }, 40_000)
})

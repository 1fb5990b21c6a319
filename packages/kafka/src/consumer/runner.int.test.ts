import { friendRemoved, friendRequestAccepted } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Accepted,
  accepted,
  createTestBed,
  log,
  recordOf,
  type TestBed,
  TOPIC,
} from '../../testing/support.ts'
import { PermanentError } from '../errors.ts'
import { createPublisher, type Publisher } from '../publisher/publisher.ts'
import { readTopic } from '../read-topic.ts'
import { eventRecord } from '../record.ts'
import { deadLetterTopicOf } from './dead-letter.ts'
import { type EventContext, type HandlerOutcome, on, onMany } from './handlers.ts'
import { type ConsumerRunner, type ConsumerRunnerOptions, createConsumerRunner } from './runner.ts'

let bed: TestBed
let publisher: Publisher
let registry: Registry
const runners: ConsumerRunner[] = []

beforeEach(async () => {
  bed = await createTestBed()
  publisher = createPublisher({ kafka: bed.kafka })
  registry = new Registry()
})
afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.stop()
  await publisher.stop()
  await bed.remove()
})

// biome-ignore lint/suspicious/noConfusingVoidType: same as the API
type Handle = (event: Accepted, ctx: EventContext) => Promise<HandlerOutcome | void>

function run(handle: Handle, options: Partial<ConsumerRunnerOptions> = {}): ConsumerRunner {
  const runner = createConsumerRunner({
    kafka: bed.kafka,
    groupId: 'group',
    handlers: [on(friendRequestAccepted, handle)],
    log,
    registry,
    publisher,
    sessionTimeoutMs: 6_000,
    retryWaitsMs: [50, 50, 50],
    onFatal: (error) => {
      throw error
    },
    ...options,
  })
  runners.push(runner)
  runner.start()
  return runner
}

const deadLetters = () => readTopic(bed.kafka, deadLetterTopicOf(TOPIC))
const committed = async () => {
  const topic = bed.prefix + TOPIC
  const positions = await bed.kafka.driver.admin.committed(`${bed.prefix}group`, [topic])
  return positions.reduce((sum, { offset }) => sum + offset, 0)
}
const counted = async (result: string) => {
  const { values } = (await registry.getSingleMetric('kafka_consumer_events_total')?.get()) ?? { values: [] }
  return values.filter(({ labels }) => labels.result === result).reduce((sum, { value }) => sum + value, 0)
}

describe('ConsumerRunner', () => {
  it('the consumer runner passes the typed, parsed event and its request id to the handler', async () => {
    const seen: [Accepted, EventContext][] = []
    run(async (event, ctx) => void seen.push([event, ctx]))
    const event = accepted(4)
    await publisher.publish([recordOf(event)])
    await waitFor(() => seen.length === 1)
    const [got, ctx] = seen[0]!
    expect(got).toEqual(event)
    expect(ctx).toMatchObject({
      requestId: 'request-4',
      eventId: event.event_id,
      attempt: 1,
      key: '1:2',
      topic: TOPIC,
    })
  })

  it('the consumer runner initializes the dead-letter counter with 0, so that the first dead letter is an increase', async () => {
    run(async () => {})
    const { values } = (await registry.getSingleMetric('kafka_dead_letters_total')?.get()) ?? { values: [] }
    expect(values).toMatchObject([{ labels: { topic: TOPIC }, value: 0 }])
  })

  it('the consumer runner handles the events of a key in order', async () => {
    const seen: number[] = []
    run(async ({ request_id }) => {
      await new Promise((resolve) => setTimeout(resolve, request_id % 4))
      seen.push(request_id)
    })
    await publisher.publish(Array.from({ length: 100 }, (_, n) => recordOf(accepted(n))))
    await waitFor(() => seen.length === 100)
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n + 1))
  })

  it('the consumer runner skips and counts event types without a handler, without parsing them', async () => {
    run(async () => {})
    const event = friendRemoved.create({ user_id: 1, friend_id: 2 }, { correlationId: 'r' })
    const record = { ...eventRecord(friendRemoved, event, 'test'), value: 'not even JSON' }
    await publisher.publish([record])
    await waitFor(async () => (await committed()) === 1)
    expect(await counted('ignored')).toBe(1)
    expect(await deadLetters()).toEqual([])
  })

  it('the consumer runner sends a poison record to the dead-letter topic and continues with the partition', async () => {
    const seen: number[] = []
    run(async ({ request_id }) => void seen.push(request_id))
    const good = recordOf(accepted(1))
    const unreadable = { ...good, value: '{"half":' }
    const wrongShape = { ...good, value: JSON.stringify({ ...accepted(2), to_user_id: 'x' }) }
    const newer = { ...good, value: JSON.stringify({ ...accepted(3), event_version: 9 }) }
    await publisher.publish([unreadable, wrongShape, newer, good])
    await waitFor(() => seen.length === 1)
    await waitFor(async () => (await committed()) === 4)
    const letters = await deadLetters()
    expect(letters.map(({ value }) => String(value))).toEqual(
      [unreadable, wrongShape, newer].map((r) => r.value),
    )
    expect(letters.map(({ headers }) => headers.dlt_error)).toEqual([
      'PermanentError: value is not JSON',
      expect.stringContaining('to_user_id'),
      'PermanentError: unknown version 9 of FriendRequestAccepted',
    ])
    expect(letters[0]?.headers).toMatchObject({
      dlt_original_topic: TOPIC,
      dlt_original_offset: '0',
      dlt_consumer_group: 'group',
      dlt_error_kind: 'permanent',
      dlt_attempts: '1',
      ce_id: good.headers.ce_id,
    })
  })

  it('the consumer runner applies an event after its handler failed temporarily', async () => {
    const attempts: number[] = []
    run(async (_event, { attempt }) => {
      attempts.push(attempt)
      if (attempt < 3) throw new Error('not yet')
    })
    await publisher.publish([recordOf(accepted(1))])
    await waitFor(async () => (await committed()) === 1)
    expect(attempts).toEqual([1, 2, 3])
    expect(await counted('retried')).toBe(2)
    expect(await counted('applied')).toBe(1)
    expect(await deadLetters()).toEqual([])
  })

  describe('with a handler of many events', () => {
    const runMany = (handleMany: (numbers: number[]) => Promise<void>, options = {}) =>
      run(async () => {}, {
        ...options,
        handlers: [
          onMany(friendRequestAccepted, async (events) => {
            await handleMany(events.map(({ request_id }) => request_id))
            return events.map(() => 'applied' as const)
          }),
        ],
      })
    const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
    /** One publish: a consumer that starts afterwards gets all of them with one fetch. */
    const publishNumbers = (to: number) =>
      publisher.publish(numbers(1, to).map((n) => recordOf(accepted(n - 1))))

    it('the consumer runner passes the waiting events of a partition together, in order, a hundred at most, and counts each', async () => {
      await publishNumbers(150)
      const seen: number[][] = []
      runMany(async (some) => void seen.push(some))
      await waitFor(async () => (await committed()) === 150)
      expect(seen).toEqual([numbers(1, 100), numbers(101, 150)])
      expect(await counted('applied')).toBe(150)
    })

    it('the consumer runner handles each event alone after many failed together, and dead-letters only the one that fails', async () => {
      await publishNumbers(5)
      const seen: number[][] = []
      runMany(async (some) => {
        seen.push(some)
        if (some.includes(3)) throw new Error('never')
      })
      await waitFor(async () => (await committed()) === 5)
      expect(seen).toEqual([numbers(1, 5), [1], [2], [3], [3], [3], [3], [4], [5]])
      expect(await deadLetters()).toHaveLength(1)
      expect(await counted('applied')).toBe(4)
    })

    it('the consumer runner dead-letters an unreadable record between events that are handled together', async () => {
      const records = numbers(1, 5).map((n) => recordOf(accepted(n - 1)))
      records[2] = { ...records[2]!, value: '{"half":' }
      await publisher.publish(records)
      const seen: number[][] = []
      runMany(async (some) => void seen.push(some))
      await waitFor(async () => (await committed()) === 5)
      expect(seen).toEqual([
        [1, 2],
        [4, 5],
      ])
      expect(await deadLetters()).toHaveLength(1)
    })

    it('the consumer runner skips types without a handler among events that are handled together', async () => {
      const removed = friendRemoved.create({ user_id: 1, friend_id: 2 }, { correlationId: 'r' })
      const other = eventRecord(friendRemoved, removed, 'test')
      await publisher.publish([recordOf(accepted(0)), other, recordOf(accepted(1)), other])
      const seen: number[][] = []
      runMany(async (some) => void seen.push(some))
      await waitFor(async () => (await committed()) === 4)
      expect(seen).toEqual([[1, 2]])
      expect(await counted('ignored')).toBe(2)
    })

    it('the consumer runner commits events that are handled together only after all their effects', async () => {
      await publishNumbers(3)
      const gate = Promise.withResolvers<void>()
      let started = false
      const runner = runMany(async () => {
        started = true
        await gate.promise
      })
      await waitFor(() => started)
      expect(await committed()).toBe(0)
      const stopped = runner.stop()
      gate.resolve()
      await stopped
      expect(await committed()).toBe(3)
    })
  })

  it('dead-letters an event after bounded retries while other partitions continue', async () => {
    const seen: number[] = []
    let attempts = 0
    run(
      async ({ to_user_id }) => {
        if (to_user_id === 2) {
          attempts++
          throw new Error('never')
        }
        seen.push(to_user_id)
      },
      { retryWaitsMs: [100, 500] },
    )
    // Keys 1:2 and 1:3 map to different partitions.
    await publisher.publish([recordOf(accepted(1, 2)), recordOf(accepted(2, 3))])
    await waitFor(() => seen.length === 1)
    expect(attempts).toBeLessThan(3)
    const [letter] = await waitFor(async () => {
      const letters = await deadLetters()
      return letters.length > 0 && letters
    })
    expect(attempts).toBe(3)
    expect(letter?.headers).toMatchObject({
      dlt_attempts: '3',
      dlt_error: 'Error: never',
      dlt_error_kind: 'transient',
    })
    await waitFor(async () => (await committed()) === 2)
  })

  it('the consumer runner retries an event without limit while a store is unavailable, and reports it in its health', async () => {
    let failures = 0
    let back = false
    const runner = run(
      async () => {
        if (back) return
        failures++
        throw new Error('store is unavailable')
      },
      {
        retryWaitsMs: [],
        classify: (error) =>
          (error as Error).message === 'store is unavailable' ? 'unavailable' : undefined,
      },
    )
    await publisher.publish([recordOf(accepted(1))])
    await waitFor(() => failures >= 4, { timeoutMs: 20_000 })
    expect(runner.health()).toMatchObject({ ok: false, joined: true, waiting: [{ unavailable: true }] })
    expect(await committed()).toBe(0)
    back = true
    await waitFor(async () => (await committed()) === 1, { timeoutMs: 20_000 })
    expect(runner.health().ok).toBe(true)
    expect(await deadLetters()).toEqual([])
  }, 40_000)

  it('the consumer runner commits an offset only after the effect', async () => {
    const gate = Promise.withResolvers<void>()
    let started = false
    run(async () => {
      started = true
      await gate.promise
    })
    await publisher.publish([recordOf(accepted(1)), recordOf(accepted(2))])
    await waitFor(() => started)
    // The consumer keeps fetching; the effect alone decides about the commit.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(await committed()).toBe(0)
    gate.resolve()
    await waitFor(async () => (await committed()) === 2)
  })

  it('the consumer runner finishes and commits the in-flight event when it stops', async () => {
    const gate = Promise.withResolvers<void>()
    let started = false
    const runner = run(async () => {
      started = true
      await gate.promise
    })
    await publisher.publish([recordOf(accepted(1)), recordOf(accepted(2))])
    await waitFor(() => started)
    const stopped = runner.stop()
    gate.resolve()
    await stopped
    expect(await committed()).toBe(1)
  })

  it('the consumer runner reports the lag of the group, including stalled partitions', async () => {
    const { LagReporter } = await import('./lag.ts')
    const { kafkaMetrics } = await import('../metrics.ts')
    const runner = run(async () => {
      throw new PermanentError('x')
    })
    await waitFor(() => runner.health().joined)
    await runner.stop()
    await publisher.publish(Array.from({ length: 5 }, (_, n) => recordOf(accepted(n))))
    const topic = bed.prefix + TOPIC
    const workers = new Map([0, 1, 2].map((partition) => [String(partition), { topic, partition }]))
    await new LagReporter({
      kafka: bed.kafka,
      groupId: 'group',
      metrics: kafkaMetrics(registry),
      workers,
      log,
    }).report()
    const { values } = await registry.getSingleMetric('kafka_consumer_lag_records')!.get()
    expect(values.reduce((sum, { value }) => sum + value, 0)).toBe(5)
    expect(values).toHaveLength(3)
  })
})

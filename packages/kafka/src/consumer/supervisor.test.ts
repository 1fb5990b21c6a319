import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ConsumerOptions, ConsumerPort } from '../driver/port.ts'
import { KafkaUnavailable } from '../errors.ts'
import type { KafkaConnection } from '../kafka.ts'
import { ConsumerSupervisor } from './supervisor.ts'

/** Consumers that join immediately; the test makes them fail. */
function setup() {
  const consumers: ConsumerOptions[] = []
  const closed: number[] = []
  const createConsumer = (options: ConsumerOptions): ConsumerPort => {
    const index = consumers.push(options) - 1
    const port = {
      start: async () => options.onJoin(`member-${index}`, {}),
      close: async () => void closed.push(index),
    }
    return port as unknown as ConsumerPort
  }
  const kafka = { topicPrefix: '', driver: { createConsumer } } as unknown as KafkaConnection
  const onFatal = vi.fn()
  const onBatch = vi.fn()
  const onLost = vi.fn()
  const supervisor = new ConsumerSupervisor({
    kafka,
    groupId: 'g',
    topics: ['t'],
    startFrom: 'earliest',
    sessionTimeoutMs: 10_000,
    log: pino({ level: 'silent' }),
    onJoin: () => {},
    onBatch,
    onLost,
    onFatal,
  })
  supervisor.start()
  return { supervisor, consumers, closed, onFatal, onBatch, onLost }
}

const batch = { topic: 't', partition: 0, highWatermark: 1, records: [] }

describe('ConsumerSupervisor', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('the consumer supervisor replaces the consumer without limit while the brokers are unavailable', async () => {
    const { supervisor, consumers, closed, onFatal } = setup()
    for (let deaths = 0; deaths < 30; deaths++) {
      await vi.advanceTimersByTimeAsync(10_000)
      consumers.at(-1)!.onCrash(new KafkaUnavailable('unavailable'))
    }
    await vi.advanceTimersByTimeAsync(10_000)
    expect(consumers).toHaveLength(31)
    expect(closed).toHaveLength(30)
    expect(supervisor.port).toBeDefined()
    expect(onFatal).not.toHaveBeenCalled()
  })

  it('the consumer supervisor reports a fatal error after three consecutive permanent failures', async () => {
    const { consumers, onFatal } = setup()
    for (let deaths = 0; deaths < 3; deaths++) {
      await vi.advanceTimersByTimeAsync(10_000)
      expect(onFatal).not.toHaveBeenCalled()
      consumers.at(-1)!.onCrash(new Error('not authorised'))
    }
    await vi.advanceTimersByTimeAsync(60_000)
    expect(onFatal).toHaveBeenCalledOnce()
    expect(consumers).toHaveLength(3)
  })

  it('the consumer supervisor replaces a consumer that is silently hung', async () => {
    const { consumers, onLost } = setup()
    await vi.advanceTimersByTimeAsync(50_000)
    expect(consumers).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(onLost).toHaveBeenCalled()
    expect(consumers.length).toBeGreaterThan(1)
  })

  it('the consumer supervisor replaces a consumer that lost its membership and discards what it still fetches', async () => {
    const { consumers, onBatch } = setup()
    await vi.advanceTimersByTimeAsync(0)
    const first = consumers[0]!
    first.onBatch(batch)
    first.onJoin('another-member', {})
    first.onBatch(batch)
    expect(onBatch).toHaveBeenCalledOnce()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(consumers).toHaveLength(2)
  })
})

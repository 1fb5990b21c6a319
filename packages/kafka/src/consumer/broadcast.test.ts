import { friendRequestAccepted } from '@bigtech/contracts'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { ConsumerOptions } from '../driver/port.ts'
import { KafkaUnavailable } from '../errors.ts'
import type { KafkaConnection } from '../kafka.ts'
import { createBroadcastConsumer } from './broadcast.ts'
import { on } from './handlers.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Brokers that are unavailable until the test restores them; the topic is empty. */
function setup() {
  const brokers = { down: true }
  const answer = async <Value>(value: Value) => {
    if (brokers.down) throw new KafkaUnavailable('unavailable')
    return value
  }
  const admin = {
    offsets: () => answer([{ partition: 0, low: 0, high: 0 }]),
    offsetsAt: () => answer([{ partition: 0, offset: 0 }]),
  }
  const createConsumer = ({ onJoin }: ConsumerOptions) => ({
    start: async () => onJoin('member', {}),
    close: async () => {},
  })
  const kafka = { topicPrefix: '', driver: { admin, createConsumer } } as unknown as KafkaConnection
  const broadcast = createBroadcastConsumer({
    kafka,
    name: 'test',
    handlers: [on(friendRequestAccepted, async () => {})],
    sinceMs: 60_000,
    log: pino({ level: 'silent' }),
    onFatal: (error) => {
      throw error
    },
  })
  return { broadcast, brokers }
}

it("a process started during a broker outage is ready within a second of the brokers' return", async () => {
  // Maximum backoff.
  vi.spyOn(Math, 'random').mockReturnValue(1)
  const { broadcast, brokers } = setup()
  broadcast.start()
  for (let outageMs = 0; outageMs < 30_000; outageMs += 700) {
    await vi.advanceTimersByTimeAsync(700)
    expect(broadcast.health().caughtUp).toBe(false)
  }
  brokers.down = false
  await vi.advanceTimersByTimeAsync(1_000)
  expect(broadcast.health()).toEqual({ ok: true, caughtUp: true })
  await broadcast.stop()
})

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { PubSub } from './pubsub.ts'
import { StreamAcks } from './stream-acks.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Two processes whose acknowledgements travel over one channel, which a test can interrupt. */
function processes() {
  const listeners = new Map<string, (payload: string) => void>()
  const bus = { works: true }
  const pubsub: Pick<PubSub, 'hint' | 'onHint'> = {
    hint: async (channel, payload) => {
      if (bus.works) listeners.get(channel)?.(payload)
      return 1
    },
    onHint: (channel, listener) => void listeners.set(channel, listener),
  }
  const acknowledged: string[] = []
  const note = (stream: string, user: number) => void acknowledged.push(`${stream} ${user}`)
  const [one, other] = ['a', 'b'].map((letter) => {
    const instanceId = `${letter.repeat(8)}-0000-7000-8000-000000000000`
    const acks = new StreamAcks({ pubsub, instanceId, note, probeEveryMs: 1_000 })
    acks.start()
    return acks
  }) as [StreamAcks, StreamAcks]
  return { one, other, bus, acknowledged }
}

it('an acknowledgement reaches the process that holds the stream, also from another process', () => {
  const { one, other, acknowledged } = processes()
  const stream = one.newStreamId()
  other.acknowledge(stream, 7)
  one.acknowledge(stream, 7)
  expect(acknowledged).toEqual([`${stream} 7`, `${stream} 7`])
})

it('a process reports that acknowledgements cannot arrive while its own probes fail, and since when they can again', () => {
  const { one, bus } = processes()
  const start = Date.now()
  vi.advanceTimersByTime(10_000)
  expect(one.worksSince).toBe(start)
  bus.works = false
  vi.advanceTimersByTime(4_000)
  expect(one.worksSince).toBeUndefined()
  bus.works = true
  vi.advanceTimersByTime(2_000)
  // The first probe after 14 s, at a whole second of the process.
  expect(one.worksSince).toBeGreaterThan(start + 14_000)
  expect(one.worksSince).toBeLessThan(start + 15_003)
})

import { setTimeout as delay } from 'node:timers/promises'
import { waitFor } from '@bigtech/testkit'
import { expect, it } from 'vitest'
import type { RoomUpdate } from '../messages/room-updates.ts'
import { RoomPubSub } from './pubsub.ts'

/** A bus that delivers to every listener at once. Another process listens to rooms 1 and 2. */
function setUp() {
  const listeners = new Map<string, (payload: string) => void>()
  const writtenAt: number[] = []
  const bus = {
    hint: async (channel: string, payload: string) => {
      writtenAt.push(performance.now())
      listeners.get(channel)?.(payload)
      return listeners.has(channel) ? 1 : 0
    },
    onHint: (channel: string, listener: (payload: string) => void) => void listeners.set(channel, listener),
    offHint: () => undefined,
  }
  const received: object[] = []
  const other = new RoomPubSub(bus, 'other')
  for (const roomId of [1, 2]) other.subscribe(roomId, (hint) => received.push(hint))
  const listen = (roomId: number) => other.subscribe(roomId, (hint) => received.push(hint))
  return { pubsub: new RoomPubSub(bus, 'this'), received, listen, writtenAt }
}

const message = (seq: number) => ({ seq }) as NonNullable<RoomUpdate['messages']>[number]

it('messages of a room that are stored within a moment reach other processes in one hint, in order, and behind everything before them', async () => {
  const { pubsub, received, writtenAt } = setUp()
  pubsub.publish({ roomId: 1, messages: [message(1)] })
  pubsub.publish({ roomId: 1, messages: [message(2), message(3)] })
  pubsub.publish({ roomId: 2, messages: [message(1)] })
  pubsub.publish({ roomId: 1, reads: [{ userId: 7, seq: 3 }] })
  pubsub.publish({ roomId: 1, messages: [message(4)] })
  pubsub.publish({ roomId: 1, messages: [message(5)] })
  await waitFor(() => received.length === 4)
  expect(received).toEqual([
    { roomId: 1, messages: [{ seq: 1 }, { seq: 2 }, { seq: 3 }] },
    { roomId: 2, messages: [{ seq: 1 }] },
    { roomId: 1, reads: [{ userId: 7, seq: 3 }] },
    { roomId: 1, messages: [{ seq: 4 }, { seq: 5 }] },
  ])
  expect(writtenAt.length).toBe(4)
})

it('a hint after another one is sent, too', async () => {
  const { pubsub, received } = setUp()
  for (const seq of [1, 2, 3]) {
    pubsub.publish({ roomId: 1, messages: [message(seq)] })
    await waitFor(() => received.length === seq)
  }
})

it('hints of a room that no other process listens to share few writes, until one listens', async () => {
  const { pubsub, received, listen, writtenAt } = setUp()
  const publishUntil = async (isReached: () => boolean) => {
    for (let seq = 1; !isReached(); seq++) {
      pubsub.publish({ roomId: 3, messages: [message(seq)] })
      await delay(2)
    }
  }
  // The first write shows that nobody listens.
  await publishUntil(() => writtenAt.length === 3)
  expect(writtenAt[2]! - writtenAt[1]!).toBeGreaterThan(90)
  listen(3)
  await publishUntil(() => received.length > 0)
  const heard = received.length
  pubsub.publish({ roomId: 3, typing: 7 })
  pubsub.publish({ roomId: 1, typing: 7 })
  await waitFor(() => received.length === heard + 2)
  // Both left with the same write, not 100 ms apart.
  expect(received.slice(-2)).toEqual([
    { roomId: 3, typing: 7 },
    { roomId: 1, typing: 7 },
  ])
})

it('a process ignores its own hints and those it cannot read, and receives those of others', async () => {
  const listeners: ((payload: string) => void)[] = []
  const bus = {
    hint: async (_channel: string, payload: string) => {
      for (const listener of listeners) listener(payload)
      return listeners.length
    },
    onHint: (_channel: string, listener: (payload: string) => void) => void listeners.push(listener),
    offHint: () => undefined,
  }
  const received: object[] = []
  const pubsubs = ['one', 'one-two'].map((processId) => {
    const pubsub = new RoomPubSub(bus, processId)
    pubsub.subscribe(1, (hint) => received.push({ at: processId, ...hint }))
    return pubsub
  })
  void bus.hint('chat:room:1', '{"from":"one"')
  for (const pubsub of pubsubs) pubsub.publish({ roomId: 1, typing: 7 })
  await waitFor(() => received.length === 2)
  expect(received).toEqual([
    { at: 'one-two', roomId: 1, typing: 7 },
    { at: 'one', roomId: 1, typing: 7 },
  ])
})

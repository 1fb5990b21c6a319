import { waitFor } from '@bigtech/testkit'
import { expect, it } from 'vitest'
import type { RoomUpdate } from '../messages/room-updates.ts'
import { RoomPubSub } from './pubsub.ts'

/** A bus that delivers to every listener at once. */
function setUp() {
  const listeners = new Map<string, (payload: string) => void>()
  let writes = 0
  const bus = {
    hint: (channel: string, payload: string) => {
      writes++
      listeners.get(channel)?.(payload)
    },
    onHint: (channel: string, listener: (payload: string) => void) => void listeners.set(channel, listener),
    offHint: () => undefined,
  }
  const received: object[] = []
  const other = new RoomPubSub(bus, 'other')
  for (const roomId of [1, 2]) other.subscribe(roomId, (hint) => received.push(hint))
  return { pubsub: new RoomPubSub(bus, 'this'), received, writes: () => writes }
}

const message = (seq: number) => ({ seq }) as NonNullable<RoomUpdate['messages']>[number]

it('messages of a room that are stored within a moment reach other processes in one hint, in order, and behind everything before them', async () => {
  const { pubsub, received, writes } = setUp()
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
  expect(writes()).toBe(4)
})

it('a hint after another one is sent, too', async () => {
  const { pubsub, received } = setUp()
  for (const seq of [1, 2, 3]) {
    pubsub.publish({ roomId: 1, messages: [message(seq)] })
    await waitFor(() => received.length === seq)
  }
})

it('a process ignores its own hints and those it cannot read, and receives those of others', async () => {
  const listeners: ((payload: string) => void)[] = []
  const bus = {
    hint: (_channel: string, payload: string) => {
      for (const listener of listeners) listener(payload)
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
  bus.hint('chat:room:1', '{"from":"one"')
  for (const pubsub of pubsubs) pubsub.publish({ roomId: 1, typing: 7 })
  await waitFor(() => received.length === 2)
  expect(received).toEqual([
    { at: 'one-two', roomId: 1, typing: 7 },
    { at: 'one', roomId: 1, typing: 7 },
  ])
})

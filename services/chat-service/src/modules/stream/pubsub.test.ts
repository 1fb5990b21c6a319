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

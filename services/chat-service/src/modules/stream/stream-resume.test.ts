import type { Service } from '@bigtech/service-kit'
import { expect, it } from 'vitest'
import type { StreamSource } from '../messages/stream-source.ts'
import type { RoomPubSub } from './pubsub.ts'
import { RoomChannels } from './room-channels.ts'
import type { RoomReplay } from './room-replay.ts'
import { encodeCursor } from './stream-cursor.ts'
import { StreamResume } from './stream-resume.ts'

const head = { seq: 5, cseq: 2 }

it('a resumed stream starts at the cursor when an idle channel is closed while the logs are read', async () => {
  let channels: RoomChannels
  const messages: Partial<StreamSource> = {
    onUpdate: () => undefined,
    headsOf: async (roomIds) => new Map(roomIds.map((roomId) => [roomId, head])),
    roomsBeyond: async () => {
      channels.get(7)!.idleSince = 0
      channels.closeIdle()
      return []
    },
    positionsBefore: async () => new Map(),
  }
  const pubsub: Partial<RoomPubSub> = { subscribe: () => undefined, unsubscribe: () => undefined }
  channels = new RoomChannels(pubsub as RoomPubSub, {
    messages: messages as StreamSource,
    log: {} as Service['log'],
    onDelivered: () => undefined,
  })
  const membership = { roomId: 7, userId: 1, joinedAt: new Date(0), visibleFromSeq: 1 }
  const resume = new StreamResume({
    messages: messages as StreamSource,
    members: { ofUser: async () => [membership] } as never,
    channels,
    replay: {} as RoomReplay,
    listVersions: { of: async () => new Map() },
  })
  const since = Date.now() - 60_000
  const cursor = encodeCursor({ lists: { friends: 0, rooms: 0 }, since, rooms: new Map([[7, head]]) })
  const { reset, starts } = await resume.plan(1, cursor)
  expect(reset).toBeNull()
  expect(starts).toEqual(new Map([[7, head]]))
})

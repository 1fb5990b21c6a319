import type { Service } from '@bigtech/service-kit'
import { expect, it } from 'vitest'
import { recordedSession } from '../../../testing/stream-session.ts'
import type { StreamSource } from '../messages/stream-source.ts'
import type { RoomPubSub } from './pubsub.ts'
import { RoomChannels } from './room-channels.ts'
import type { RoomReplay } from './room-replay.ts'
import { encodeCursor } from './stream-cursor.ts'
import { StreamResume } from './stream-resume.ts'

const head = { seq: 5, cseq: 2 }
const ROOM = 7
const membership = { roomId: ROOM, userId: 1, joinedAt: new Date(0), visibleFromSeq: 1 }

function createResume(source: Partial<StreamSource>) {
  const messages: Partial<StreamSource> = {
    onUpdate: () => undefined,
    headsOf: async (roomIds) => new Map(roomIds.map((roomId) => [roomId, head])),
    ...source,
  }
  const pubsub: Partial<RoomPubSub> = {
    subscribe: () => undefined,
    unsubscribe: () => undefined,
    publish: () => undefined,
  }
  const channels = new RoomChannels(pubsub as RoomPubSub, {
    messages: messages as StreamSource,
    members: { pendingChange: () => undefined },
    log: {} as Service['log'],
    onDelivered: () => undefined,
  })
  const resume = new StreamResume({
    messages: messages as StreamSource,
    members: { ofUser: async () => [membership] } as never,
    channels,
    replay: {} as RoomReplay,
    listVersions: { of: async () => new Map(), ofUser: async () => ({ friends: 0, rooms: 0 }) },
  })
  return { channels, resume }
}

it('a resumed stream starts at the cursor when an idle channel is closed while the logs are read', async () => {
  const { channels, resume } = createResume({
    roomsBeyond: async () => {
      channels.get(ROOM)!.idleSince = 0
      channels.closeIdle()
      return new Map()
    },
    positionsBefore: async () => new Map(),
  })
  const since = Date.now() - 60_000
  const cursor = encodeCursor({ lists: { friends: 0, rooms: 0 }, since, rooms: new Map([[ROOM, head]]) })
  const { reset, starts } = await resume.plan(1, cursor)
  expect(reset).toBeNull()
  expect(starts).toEqual(new Map([[ROOM, head]]))
})

it('a new stream in a busy room reads no messages, and receives each one after its first frame once', async () => {
  const asked: number[][] = []
  const { channels, resume } = createResume({
    positionsBefore: async (_since, heads) => {
      asked.push([...heads.keys()])
      return new Map()
    },
    sharedViews: async (records) => records.map(({ seq }) => ({ seq, reply_preview: null }) as never),
    hiddenFrom: async () => new Map(),
    noteRead: () => undefined,
  })
  const send = async (seq: number) => {
    const record = {
      roomId: ROOM,
      userId: 2,
      seq,
      messageId: `7:${seq}`,
      createdAt: Date.now(),
      reactions: [],
    }
    channels.publish({ roomId: ROOM, messages: [record as never] })
    await channels.get(ROOM)!.exclusively(async () => undefined)
  }
  await channels.open([ROOM])
  await send(6)
  const plan = await resume.plan(1, undefined)
  await send(7)
  const { session, text } = recordedSession()
  const running = resume.run(session, plan)
  await send(8)
  await running
  await send(9)
  expect(asked.flat(), 'rooms whose recent messages were read').toEqual([])
  const [first, ...later] = [...text().matchAll(/"seq":(\d+)/g)].map(([, seq]) => Number(seq))
  expect(text()).toMatch(/event: reset/)
  expect([...new Set(later)]).toEqual([7, 8, 9].filter((seq) => seq > first!))
  expect(text().match(/event: message/g)).toHaveLength(9 - first!)
  const [cursor] = text()
    .split('\n')
    .filter((line) => line.startsWith('id:'))
  expect(cursor, 'the cursor lists the room').toContain(`~7.${first!.toString(36)}.2`)
})

it('a new stream in a few rooms reads none of their logs, and lists rooms that may be active', async () => {
  const asked: number[][] = []
  const { resume } = createResume({
    positionsBefore: async (_since, heads) => {
      asked.push([...heads.keys()])
      return new Map()
    },
  })
  const { listed } = await resume.plan(1, undefined)
  expect(asked).toEqual([])
  expect([...listed]).toEqual([ROOM])
})

import type { Service } from '@bigtech/service-kit'
import { expect, it } from 'vitest'
import { upTo } from '../../../testing/rooms.ts'
import type { StreamSource } from '../messages/stream-source.ts'
import type { RoomPubSub } from './pubsub.ts'
import { RoomChannels } from './room-channels.ts'
import { RoomReplay } from './room-replay.ts'
import { RoomSubscription } from './room-subscription.ts'
import type { StreamSession } from './stream-session.ts'

const ROOM = 7
const PAGE = 200

/** A room whose log grows by `growth` messages during each read of a page. */
function createRoom({ head, growth = 0 }: { head: number; growth?: number }) {
  const log = { head, pages: 0, headsRead: 0, failures: 0 }
  const pending: { change: Promise<void> | undefined } = { change: undefined }
  const messages: Partial<StreamSource> = {
    onUpdate: () => undefined,
    headsOf: async () => {
      log.headsRead++
      return new Map([[ROOM, { seq: log.head, cseq: 0 }]])
    },
    roomsBeyond: async (positions) =>
      new Map([...positions].flatMap(([id, { seq }]) => (seq < log.head ? [[id, ['seq']] as const] : []))),
    pageAfter: async (_roomId, { seq }) => {
      log.pages++
      if (log.failures-- > 0) throw new Error('unavailable')
      await new Promise((resolve) => setImmediate(resolve))
      const count = Math.min(PAGE, log.head - seq)
      log.head += growth
      return { messages: upTo(count).map((n) => record(seq + n)), changes: [], complete: count < PAGE }
    },
    sharedViews: async (records) =>
      records.map(({ seq }) => ({ seq, reply_preview: null, reactions: [] }) as never),
    hiddenFrom: async () => new Map(),
    noteRead: () => undefined,
  }
  const pubsub: Partial<RoomPubSub> = { subscribe: () => undefined, publish: () => undefined }
  const members = {
    find: async (_room: number, userId: number) => ({ userId, visibleFromSeq: 1 }),
    pendingChange: () => pending.change,
  }
  const channels = new RoomChannels(pubsub as RoomPubSub, {
    messages: messages as StreamSource,
    members,
    log: { debug: () => undefined } as unknown as Service['log'],
    onDelivered: () => undefined,
  })
  const replay = new RoomReplay(messages as StreamSource, members as never, channels)
  return { log, pending, channels, replay }
}

function record(seq: number) {
  return {
    roomId: ROOM,
    userId: 1,
    seq,
    messageId: `${ROOM}:${seq}`,
    createdAt: 0,
    replyTo: null,
    reactions: [],
  } as never
}

function reader(userId: number): { subscription: RoomSubscription; received: number[] } {
  const received: number[] = []
  const session: Partial<StreamSession> = {
    userId,
    deliver: (_roomId, { seq }) => void received.push(seq),
    drained: async () => undefined,
  }
  const membership = { roomId: ROOM, userId, visibleFromSeq: 1 }
  return { subscription: new RoomSubscription(session as StreamSession, membership as never), received }
}

it('streams that resume a room at once share its reads, and each receives what follows its own position once', async () => {
  const { log, channels, replay } = createRoom({ head: 500 })
  await channels.open([ROOM])
  const readers = upTo(50).map((n) => ({ start: 100 + (n % 3) * 150, ...reader(n) }))
  await Promise.all(
    readers.map(({ subscription, start }) => replay.run(subscription, { seq: start, cseq: 0 })),
  )
  log.head = 502
  channels.publish({ roomId: ROOM, messages: [record(501), record(502)] })
  await channels.get(ROOM)!.exclusively(async () => undefined)
  for (const { received, start } of readers) expect(received).toEqual(upTo(502 - start).map((n) => start + n))
  expect(log.pages, 'pages read for 50 streams').toBeLessThanOrEqual(12)
})

it('streams that are far behind at different positions read the same pages', async () => {
  const { log, channels, replay } = createRoom({ head: 3_000 })
  await channels.open([ROOM])
  const readers = upTo(50).map((n) => ({ start: 37 * n, ...reader(n) }))
  await Promise.all(
    readers.map(({ subscription, start }) => replay.run(subscription, { seq: start, cseq: 0 })),
  )
  for (const { received, start } of readers)
    expect(received).toEqual(upTo(3_000 - start).map((n) => start + n))
  expect(log.pages, 'pages read for 50 streams').toBeLessThanOrEqual(20)
})

it('a page that a stream replays while a removal is looked up does not reach the removed member', async () => {
  const { pending, channels, replay } = createRoom({ head: 3_000 })
  await channels.open([ROOM])
  const [removed, member] = [reader(1), reader(2)]
  const lookUp = Promise.withResolvers<void>()
  pending.change = lookUp.promise
  const runs = [removed, member].map(({ subscription }) => replay.run(subscription, { seq: 100, cseq: 0 }))
  // Longer than the reads of the fake log take.
  for (const _turn of upTo(20)) await new Promise((resolve) => setImmediate(resolve))
  removed.subscription.end()
  pending.change = undefined
  lookUp.resolve()
  await Promise.all(runs)
  expect(removed.received).toEqual([])
  expect(member.received).toEqual(upTo(2_900).map((n) => 100 + n))
})

it('a failed read ends the resumption of the streams it was for, which can try again, and not that of others', async () => {
  const { log, channels, replay } = createRoom({ head: 3_000 })
  await channels.open([ROOM])
  log.failures = 1
  const [behind, ahead] = [reader(1), reader(2)]
  const run = ({ subscription }: typeof behind, seq: number) => replay.run(subscription, { seq, cseq: 0 })
  const [failed] = await Promise.allSettled([run(behind, 100), run(ahead, 900)])
  expect(failed).toMatchObject({ status: 'rejected', reason: { message: 'unavailable' } })
  expect(ahead.received).toEqual(upTo(2_100).map((n) => 900 + n))
  await run(behind, 100)
  expect(behind.received).toEqual(upTo(2_900).map((n) => 100 + n))
})

it('a channel that catches up ends at the head of the log although the room grows as fast as it is read', async () => {
  const { log, channels } = createRoom({ head: 0, growth: PAGE })
  await channels.open([ROOM])
  log.head = 1_000
  await channels.get(ROOM)!.catchUp()
  expect(channels.get(ROOM)!.position.seq).toBeGreaterThanOrEqual(1_000)
  expect(log.pages).toBeLessThanOrEqual(7)
})

it('verifying a room reads nothing when its updates arrive in the meantime, and reads what was lost', async () => {
  const { log, channels } = createRoom({ head: 0 })
  await channels.open([ROOM])
  log.head = 3
  const verified = channels.verify([ROOM])
  channels.publish({ roomId: ROOM, messages: upTo(3).map(record) })
  await verified
  expect(log.pages).toBe(0)
  log.head = 5
  await channels.verify([ROOM])
  expect(channels.get(ROOM)!.position.seq).toBe(5)
  expect(log.pages).toBe(1)
})

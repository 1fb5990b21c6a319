import { StoreMetrics } from '@bigtech/service-kit'
import { createTestMongo, type TestMongo } from '@bigtech/testkit'
import fc from 'fast-check'
import mongoose, { type Connection } from 'mongoose'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { upTo } from '../../../../testing/rooms.ts'
import { MongoStore } from '../../../infrastructure/mongo-store.ts'
import type { ChangeBody } from '../changes/change.ts'
import { ChangeWriter } from '../changes/change-writer.ts'
import { Projection } from '../changes/projection.repository.ts'
import { VersionRepository } from '../changes/version.repository.ts'
import { MessageAppender } from '../log/append.ts'
import { MessageRepository } from '../log/message.repository.ts'
import { draftOf } from '../log/message-factory.ts'
import { RoomPositions } from '../log/room-heads.repository.ts'
import { positionId } from '../message.ts'
import { ReadPositionRepository } from '../reading/read-positions.repository.ts'
import { SenderPositions } from '../reading/sender-positions.ts'
import { MessageOutboxStore } from './message-outbox.repository.ts'
import { checkPublished } from './published-check.repository.ts'

let mongo: TestMongo
let connection: Connection
let lastRoom = 0

interface Published {
  readonly event_type: string
  readonly event_id: string
  readonly room_id: number
  readonly seq: number
  readonly content?: string
  readonly rev?: number
}

beforeAll(async () => {
  mongo = createTestMongo()
  connection = await mongoose.createConnection(mongo.url).asPromise()
  await startProcess().repository.prepare()
})
afterEach(() => vi.useRealTimers())
afterAll(async () => {
  await connection?.close()
  await mongo?.drop()
})

/** Starts a process that writes and publishes. It hints only on request; without a hint it died before that. */
function startProcess() {
  const store = new MongoStore(connection, new StoreMetrics(new Registry()))
  const repository = new MessageRepository(store)
  const versions = new VersionRepository(store)
  const projection = new Projection(store, repository, versions)
  const positions = new ReadPositionRepository(store)
  const rooms = new RoomPositions(store, repository)
  const senders = new SenderPositions(positions, () => undefined)
  const outbox = new MessageOutboxStore({ repository, projection, senders, rooms })
  let hints = true
  const appender = new MessageAppender({
    log: repository.messages,
    findByClientId: (...key) => repository.findByClientId(...key),
    onStored: (roomId, messages, documents) => {
      const range = { from: messages[0]!.seq, to: messages.at(-1)!.seq }
      if (hints) outbox.hint({ roomId, messages: range }, documents)
    },
  })
  const writer = new ChangeWriter({
    repository,
    projection,
    pinsIn: async () => 0,
    onStored: (roomId, changes) => {
      if (hints) outbox.hint({ roomId, changes: { from: changes[0]!.cseq, to: changes.at(-1)!.cseq } })
    },
  })
  const withHints = async (given: boolean, work: () => Promise<unknown>) => {
    hints = given
    await work()
    hints = true
  }
  return {
    repository,
    outbox,
    positions,
    send: (roomId: number, content: string, hinted = true) =>
      withHints(hinted, () =>
        appender.append(draftOf({ roomId, userId: 1, username: 'a', content, messageType: 'text' }, 'test')),
      ),
    change: (roomId: number, seq: number, body: ChangeBody, hinted = true) =>
      withHints(hinted, () =>
        writer.apply(
          roomId,
          { messageId: positionId(roomId, seq), userId: 1, mayModerate: false, body },
          'test',
        ),
      ),
  }
}

type Process = ReturnType<typeof startProcess>

/** Runs one turn of the relay: `acknowledged` rows reach Kafka, and `marked` of those are marked before it dies. */
async function relayOnce(
  { outbox }: Process,
  kafka: Published[],
  { acknowledged = Number.POSITIVE_INFINITY, marked = Number.POSITIVE_INFINITY } = {},
): Promise<number> {
  const rows = await outbox.fetchUnsent()
  const taken = rows.slice(0, acknowledged)
  kafka.push(...taken.map(({ record }) => JSON.parse(String(record.value))))
  await outbox.markSent(taken.slice(0, marked).map(({ id }) => id))
  return rows.length
}

/** Publishes everything as the only leader. */
async function drain(process: Process, kafka: Published[]): Promise<void> {
  process.outbox.setLeading(true)
  while ((await relayOnce(process, kafka)) > 0);
  await process.outbox.settle()
  process.outbox.setLeading(false)
}

/** Returns each event once, at its first occurrence. */
function firsts(kafka: readonly Published[], roomId: number): Published[] {
  const seen = new Set<string>()
  return kafka.filter(({ event_id, room_id }) => {
    const isFirst = room_id === roomId && !seen.has(event_id)
    seen.add(event_id)
    return isFirst
  })
}

const sentOf = (kafka: readonly Published[], roomId: number) =>
  firsts(kafka, roomId).filter(({ event_type }) => event_type === 'MessageSent')
const unpublishedOf = async (roomId: number) =>
  (await checkPublished(connection.db!, { fix: false })).filter((finding) => finding.roomId === roomId)

it('every room is published completely and in order although writers and relays die at any step', async () => {
  const step = fc.record({
    room: fc.nat({ max: 1 }),
    by: fc.nat({ max: 1 }),
    what: fc.constantFrom('send', 'edit', 'react', 'relay', 'lead', 'release', 'restart'),
    isHinted: fc.boolean(),
    acknowledged: fc.nat({ max: 4 }),
    marked: fc.nat({ max: 4 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const rooms = [++lastRoom, ++lastRoom]
      const processes = [startProcess(), startProcess()]
      const kafka: Published[] = []
      const sent = [0, 0]
      let edits = 0
      for (const { room, by, what, isHinted, ...relay } of steps) {
        const roomId = rooms[room]!
        const process = processes[by]!
        if (what === 'relay') await relayOnce(process, kafka, relay)
        // The former leader may have lost the lock without noticing: it has not settled.
        else if (what === 'lead') process.outbox.setLeading(true)
        else if (what === 'release') {
          await process.outbox.settle()
          process.outbox.setLeading(false)
        } else if (what === 'restart') processes[by] = startProcess()
        else if (what === 'send' || sent[room] === 0) await process.send(roomId, `${++sent[room]!}`, isHinted)
        else {
          const body: ChangeBody =
            what === 'edit'
              ? { kind: 'edited', content: `edit ${++edits}` }
              : { kind: 'reaction_added', emoji: '👍' }
          await process.change(roomId, 1 + (relay.marked % sent[room]!), body, isHinted)
        }
      }
      await drain(startProcess(), kafka)
      for (const [index, roomId] of rooms.entries()) {
        expect(sentOf(kafka, roomId).map(({ seq }) => seq)).toEqual(upTo(sent[index]!))
        expect(await unpublishedOf(roomId)).toEqual([])
        const seen = new Set<number>()
        for (const { event_type, seq } of firsts(kafka, roomId)) {
          if (event_type === 'MessageSent') seen.add(seq)
          else expect(seen, 'the message is ahead of its change').toContain(seq)
        }
      }
      expect(firsts(kafka, rooms[0]!).length + firsts(kafka, rooms[1]!).length).toBe(
        sent[0]! + sent[1]! + edits,
      )
    }),
    { numRuns: Number(process.env.OUTBOX_HISTORIES ?? 12) },
  )
}, 120_000)

it("the sweep finds entries stored without a hint, by a clock up to 30 s behind, and their senders' read positions", async () => {
  const roomId = ++lastRoom
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 28_000 })
  await startProcess().send(roomId, 'slow clock', false)
  vi.useRealTimers()
  const kafka: Published[] = []
  const other = startProcess()
  await drain(other, kafka)
  expect(sentOf(kafka, roomId)).toMatchObject([{ seq: 1, content: 'slow clock' }])
  expect(await other.positions.ofUser(1, roomId)).toEqual({ shown: 1, own: 1 })
})

it("an entry hidden from the sweep by a wrong clock is published before the room's next message, or on an operator's command", async () => {
  const [hidden, next] = [++lastRoom, ++lastRoom]
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 })
  await startProcess().send(hidden, 'an hour late', false)
  await startProcess().send(next, 'an hour late', false)
  vi.useRealTimers()
  const kafka: Published[] = []
  await drain(startProcess(), kafka)
  expect(sentOf(kafka, hidden)).toEqual([])
  const process = startProcess()
  await process.send(next, 'on time')
  await drain(process, kafka)
  expect(sentOf(kafka, next).map(({ content }) => content)).toEqual(['an hour late', 'on time'])
  expect(await unpublishedOf(hidden)).toMatchObject([
    { roomId: hidden, log: 'messages', published: 0, head: 1 },
  ])
  expect(await checkPublished(connection.db!, { fix: false, graceMs: 7_200_000 })).toEqual([])
  await checkPublished(connection.db!, { fix: true })
  await drain(startProcess(), kafka)
  expect(sentOf(kafka, hidden).map(({ content }) => content)).toEqual(['an hour late'])
  expect(await unpublishedOf(hidden)).toEqual([])
})

it('the check moves a published position back that is after the head, as in a backup that dumped the messages first', async () => {
  const roomId = ++lastRoom
  const kafka: Published[] = []
  const before = startProcess()
  await before.send(roomId, 'dumped', true)
  await drain(before, kafka)
  const heads = connection.collection<{ _id: number }>('room_heads')
  await heads.updateOne({ _id: roomId }, { $inc: { published_seq: 3, published_cseq: 1 } })
  const ahead = [
    { roomId, log: 'messages', published: 4, head: 1 },
    { roomId, log: 'room_changes', published: 1, head: 0 },
  ]
  expect(await unpublishedOf(roomId)).toMatchObject(ahead)
  expect(await unpublishedOf(roomId)).toMatchObject(ahead)
  await checkPublished(connection.db!, { fix: true })
  expect(await unpublishedOf(roomId)).toEqual([])

  const restored = startProcess()
  for (const text of ['one', 'two']) await restored.send(roomId, text, true)
  await drain(restored, kafka)
  expect(sentOf(kafka, roomId).map(({ content }) => content)).toEqual(['dumped', 'one', 'two'])
})

it('a message hidden from the sweep by a wrong clock is published before a change of that message', async () => {
  const roomId = ++lastRoom
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 })
  await startProcess().send(roomId, 'an hour late', false)
  vi.useRealTimers()
  const process = startProcess()
  await process.change(roomId, 1, { kind: 'edited', content: 'edited' })
  const kafka: Published[] = []
  await drain(process, kafka)
  expect(firsts(kafka, roomId).map(({ event_type }) => event_type)).toEqual(['MessageSent', 'MessageEdited'])
})

it('entries marked by an earlier release are published with their stored events, and nothing already published is repeated', async () => {
  const [marked, silent] = [++lastRoom, ++lastRoom]
  const legacy = (roomId: number, seq: number, isMarked: boolean) => ({
    _id: positionId(roomId, seq),
    room_id: roomId,
    created_at: new Date(),
    event_id: crypto.randomUUID(),
    user_id: 1,
    username: 'a',
    message_type: 'text',
    content: `legacy ${seq}`,
    cseq: 0,
    rev: 0,
    reactions: [],
    ...(isMarked
      ? {
          pending: true,
          outbox: [
            {
              topic: 'message.events',
              key: String(roomId),
              headers: {},
              value: JSON.stringify({
                event_type: 'MessageSent',
                event_id: `stored ${seq}`,
                room_id: roomId,
                seq,
              }),
            },
          ],
        }
      : {}),
  })
  const messages = connection.db!.collection<{ _id: string }>('messages')
  await messages.insertMany([1, 2, 3].map((seq) => legacy(marked, seq, seq === 3)))
  await messages.insertMany([1, 2].map((seq) => legacy(silent, seq, false)))
  const kafka: Published[] = []
  const process = startProcess()
  await drain(process, kafka)
  await process.send(marked, 'new')
  await process.send(silent, 'new', false)
  await process.change(silent, 1, { kind: 'edited', content: 'legacy 1, edited' })
  await drain(startProcess(), kafka)
  await drain(process, kafka)
  expect(firsts(kafka, marked).map(({ seq }) => seq)).toEqual([3, 4])
  expect(firsts(kafka, marked)[0]!.event_id).toBe('stored 3')
  expect(firsts(kafka, silent).map(({ event_type, seq }) => `${event_type} ${seq}`)).toEqual([
    'MessageSent 3',
    'MessageEdited 1',
  ])
})

it('the relay starts from the oldest entry marked by an earlier release', async () => {
  const own = createTestMongo()
  const ownConnection = await mongoose.createConnection(own.url).asPromise()
  const created_at = new Date('2026-01-02T03:04:05.678Z')
  await ownConnection.db!.collection('room_changes').insertOne({ pending: true, created_at })
  const repository = new MessageRepository(new MongoStore(ownConnection, new StoreMetrics(new Registry())))
  await repository.checkpoint.create()
  expect(await repository.checkpoint.read()).toEqual(created_at)
  await ownConnection.close()
  await own.drop()
})

it('the relay continues after an event that Kafka rejects, but never skips one that Kafka did not acknowledge', async () => {
  const roomId = ++lastRoom
  const process = startProcess()
  for (const n of upTo(4)) await process.send(roomId, `${n}`)
  const rows = await process.outbox.fetchUnsent()
  const [first, second, , fourth] = rows.filter(({ record }) => record.key === String(roomId))
  await process.outbox.markSent([first!.id, fourth!.id])
  expect(await unpublishedOf(roomId)).toMatchObject([{ published: 1, head: 4 }])
  await process.outbox.park(second!.id, 'too large')
  expect(await unpublishedOf(roomId)).toMatchObject([{ published: 2, head: 4 }])
  const parked = await connection
    .db!.collection<{ _id: string }>('messages')
    .findOne({ _id: positionId(roomId, 2) })
  expect(parked).toMatchObject({ parked_reason: 'too large' })
  expect(await process.outbox.backlog()).toMatchObject({ events: 2 })
})

it('the relay skips hundreds of changes without an event in one pass', async () => {
  const roomId = ++lastRoom
  const process = startProcess()
  await process.send(roomId, 'liked')
  await drain(process, [])
  const template = { room_id: roomId, message_id: positionId(roomId, 1), user_id: 1, kind: 'pinned' }
  const changes = upTo(1_200).map((cseq) => ({
    ...template,
    _id: positionId(roomId, cseq),
    cseq,
    created_at: new Date(),
    event_id: `${roomId} ${cseq}`,
    correlation_id: 'test',
  }))
  await connection.db!.collection<{ _id: string }>('room_changes').insertMany(changes)
  expect(await startProcess().outbox.fetchUnsent()).toEqual([])
  expect(await unpublishedOf(roomId)).toEqual([])
})

it('a change is published after its message, even if more messages wait than fit in a batch', async () => {
  const roomId = ++lastRoom
  const process = startProcess()
  await Promise.all(upTo(500).map((n) => process.send(roomId, `${n}`)))
  await process.send(roomId, 'last')
  await process.change(roomId, 501, { kind: 'edited', content: 'last, edited' })
  const kafka: Published[] = []
  await drain(process, kafka)
  expect(firsts(kafka, roomId).map(({ event_type, seq }) => `${event_type} ${seq}`)).toEqual([
    ...upTo(501).map((seq) => `MessageSent ${seq}`),
    'MessageEdited 501',
  ])
})

it('the current state of a message is published: edited, or without its text', async () => {
  const roomId = ++lastRoom
  const process = startProcess()
  for (const content of ['secret', 'draft']) await process.send(roomId, content)
  await process.change(roomId, 1, { kind: 'edited', content: 'secret, edited' })
  await process.change(roomId, 1, { kind: 'deleted' })
  await process.change(roomId, 2, { kind: 'edited', content: 'final' })
  const kafka: Published[] = []
  await drain(process, kafka)
  expect(
    firsts(kafka, roomId).map(
      ({ event_type, seq, content = '-', rev = 0 }) => `${event_type} ${seq} ${content} ${rev}`,
    ),
  ).toEqual(['MessageSent 1  0', 'MessageSent 2 final 0', 'MessageDeleted 1 - 0', 'MessageEdited 2 final 1'])
})

it('the checkpoint advances only after everything seen by a full sweep is published', async () => {
  const roomId = ++lastRoom
  const process = startProcess()
  await process.send(roomId, 'held back', false)
  await drain(startProcess(), [])
  const before = (await process.repository.checkpoint.read())!
  await process.send(roomId, 'waits', false)
  await relayOnce(process, [], { acknowledged: 0 })
  await relayOnce(process, [], { acknowledged: 0 })
  expect(await process.repository.checkpoint.read()).toEqual(before)
  await drain(process, [])
  expect((await process.repository.checkpoint.read())!.getTime()).toBeGreaterThan(before.getTime())
})

it('a leading relay publishes what its process has stored without reading it, and stores the position when it releases the lock', async () => {
  const roomId = ++lastRoom
  const process = startProcess()
  const kafka: Published[] = []
  process.outbox.setLeading(true)
  await process.send(roomId, 'first')
  await relayOnce(process, kafka)
  const reads = [
    vi.spyOn(process.repository.messages, 'byIds'),
    vi.spyOn(process.repository.changes, 'byIds'),
  ]
  await process.send(roomId, 'second')
  await relayOnce(process, kafka)
  expect(sentOf(kafka, roomId).map(({ content }) => content)).toEqual(['first', 'second'])
  expect(reads.flatMap(({ mock }) => mock.calls.flat(2))).toEqual([])
  await process.outbox.settle()
  expect(await unpublishedOf(roomId)).toEqual([])
  expect(await process.positions.ofUser(1, roomId)).toEqual({ shown: 2, own: 2 })
})

it('a relay that leads again continues from the position that another one has stored', async () => {
  const roomId = ++lastRoom
  const [first, second] = [startProcess(), startProcess()]
  await first.send(roomId, 'one')
  await drain(first, [])
  await second.send(roomId, 'two')
  await drain(second, [])
  await first.send(roomId, 'three')
  const kafka: Published[] = []
  await drain(first, kafka)
  expect(sentOf(kafka, roomId).map(({ content }) => content)).toEqual(['three'])
})

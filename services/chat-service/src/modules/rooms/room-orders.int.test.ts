import { storeRequests, waitFor } from '@bigtech/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BACKGROUND, startTestRooms, type TestRooms, upTo } from '../../../testing/rooms.ts'
import type { MessageDocument } from '../messages/log/documents.ts'
import { positionId } from '../messages/message.ts'
import { compareInList } from './room.ts'

let rooms: TestRooms

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())

const PROCESSES = [0, 1]
/** Above the number of rooms that are read all at once. */
const MANY = 56

interface Page {
  items: { room_id: number; last_seq: number; unread_count: number; pinned: boolean }[]
  next_cursor: string | null
}

const list = async (userId: number, query: string, process: number): Promise<Page> => {
  const answer = await rooms.as(userId, 'GET', `/rooms?${query}`, undefined, process)
  expect(answer.status).toBe(200)
  return answer.body
}
const ids = ({ items }: Page) => items.map(({ room_id }) => room_id)

/** Creates many rooms of the users, as the service does, but in three statements. */
async function manyRooms(...userIds: number[]): Promise<number[]> {
  const [{ next }] = (await rooms.chat.mysql.query('SELECT COALESCE(MAX(id), 0) + 1 AS next FROM rooms')) as [
    { next: number },
  ]
  const numbers = upTo(MANY).map((n) => Number(next) + n)
  const { query } = rooms.chat.mysql
  const values = (rows: string[]) => rows.join(',')
  await query(`INSERT INTO rooms (id, room_type, name, created_by, member_count, last_activity_at, created_at) VALUES
    ${values(numbers.map((id) => `(${id}, 'group', 'r', ${userIds[0]}, ${userIds.length}, UTC_TIMESTAMP(3) - INTERVAL ${id} MINUTE, UTC_TIMESTAMP(3))`))}`)
  await query(`INSERT INTO room_members (room_id, user_id, role, joined_at) VALUES
    ${values(numbers.flatMap((id) => userIds.map((userId) => `(${id}, ${userId}, 'member', UTC_TIMESTAMP(3))`)))}`)
  await query(`INSERT INTO room_counts (user_id, rooms, version) VALUES
    ${values(userIds.map((userId) => `(${userId}, ${MANY}, 1)`))}`)
  return numbers
}

/** Lists often enough for each process to know the order. */
async function keep(userId: number): Promise<void> {
  for (const process of PROCESSES) await list(userId, 'limit=20', process)
}

it('a page of many rooms takes as many store requests as one of few', async () => {
  const [me] = await rooms.chat.people(1)
  await manyRooms(me)
  await keep(me)
  const { metrics } = rooms.chat.services[0]!
  const cost = () => storeRequests(metrics, BACKGROUND, () => list(me, 'limit=20', 0))
  // After many messages elsewhere, rooms are looked up for some seconds.
  await waitFor(cost, {
    timeoutMs: 30_000,
    until: (counts) => !('mongodb messages.beyond' in counts),
    what: 'no look-up of rooms',
  })
  expect(await cost()).toEqual({ 'mysql room_details': 1, 'mongodb messages.room_summaries': 1 })
})

it('the list of many rooms shows a message at the top that another process stored before it died', async () => {
  const [me, other] = await rooms.chat.people(2)
  const numbers = await manyRooms(me, other)
  const last = numbers.at(-1)!
  await rooms.send(other, last, 'first')
  const messages = rooms.db.collection<MessageDocument>('messages')
  const document = (await messages.findOne({ _id: positionId(last, 1) }))!
  await keep(me)
  for (const [index, roomId] of [numbers[30]!, numbers[40]!, last].entries()) {
    const seq = roomId === last ? 2 : 1
    const created_at = new Date(Date.now() + index)
    const ids = {
      _id: positionId(roomId, seq),
      event_id: `test-${roomId}`,
      client_message_id: `test-${roomId}`,
    }
    await messages.insertOne({ ...document, ...ids, room_id: roomId, created_at })
    for (const process of PROCESSES)
      expect((await list(me, 'limit=20', process)).items[0]).toMatchObject({ room_id: roomId, last_seq: seq })
  }
})

it('the list of many rooms is exact while other rooms receive more messages than a check reads', async () => {
  const [me, other] = await rooms.chat.people(2)
  const numbers = await manyRooms(me, other)
  const busy = await rooms.room(other)
  await rooms.send(other, busy, 'first')
  const messages = rooms.db.collection<MessageDocument>('messages')
  const { client_message_id: _, ...document } = (await messages.findOne({ _id: positionId(busy, 1) }))!
  await keep(me)
  await messages.insertMany(
    upTo(600).map((n) => ({
      ...document,
      ...{ _id: positionId(busy, 1 + n), event_id: `${busy}:${n}`, created_at: new Date() },
    })),
  )
  for (const roomId of [numbers[30]!, numbers[40]!]) {
    await rooms.send(other, roomId, 'news')
    for (const process of PROCESSES) expect(ids(await list(me, 'limit=20', process))[0]).toBe(roomId)
  }
})

it('the list of many rooms follows joined, left and pinned rooms although no event or hint arrives', async () => {
  const [me] = await rooms.chat.people(1)
  const numbers = await manyRooms(me)
  const { query } = rooms.chat.mysql
  await keep(me)
  const firsts = async () =>
    Promise.all(PROCESSES.map(async (process) => ids(await list(me, 'limit=3', process))))
  expect(await firsts()).toEqual(PROCESSES.map(() => numbers.slice(0, 3)))
  await query('DELETE FROM room_members WHERE room_id = ? AND user_id = ?', [numbers[0], me])
  await query('UPDATE room_counts SET rooms = rooms - 1, version = version + 1 WHERE user_id = ?', [me])
  expect(await firsts()).toEqual(PROCESSES.map(() => numbers.slice(1, 4)))
  await query('UPDATE room_members SET pinned_at = UTC_TIMESTAMP(3) WHERE room_id = ? AND user_id = ?', [
    numbers[50],
    me,
  ])
  await query(
    'INSERT INTO list_versions (user_id, friends, rooms) VALUES (?, 0, 1) ON DUPLICATE KEY UPDATE rooms = rooms + 1',
    [me],
  )
  expect(await firsts()).toEqual(PROCESSES.map(() => [numbers[50], numbers[1], numbers[2]]))
})

interface Step {
  readonly kind: 'send' | 'pin' | 'archive' | 'leave' | 'create' | 'list'
  /** Selects a room. */
  readonly choice: number
  readonly process: number
}

const weighted = (weight: number, kind: Step['kind']) => ({ weight, arbitrary: fc.constant(kind) })
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    weighted(8, 'send'),
    weighted(3, 'list'),
    weighted(2, 'pin'),
    weighted(1, 'archive'),
    weighted(1, 'leave'),
    weighted(1, 'create'),
  ),
  choice: fc.nat(1_000_000),
  process: fc.constantFrom(...PROCESSES),
})

it('the list of many rooms is exact on both processes through random concurrent messages, settings, joining and leaving', async () => {
  // Each inner list runs at once; a failure prints its seed.
  const history = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 9, maxLength: 9 })
  await fc.assert(fc.asyncProperty(history, liveThrough), { numRuns: 1, endOnFailure: true })
}, 60_000)

async function liveThrough(rounds: readonly Step[][]): Promise<void> {
  const [me, other] = await rooms.chat.people(2)
  const numbers = await manyRooms(me, other)
  await keep(me)
  for (const steps of rounds) {
    await Promise.all(
      steps.map(async ({ kind, choice, process }) => {
        const roomId = numbers[choice % numbers.length]!
        const settings = (body: object) => rooms.as(me, 'PUT', `/rooms/${roomId}/settings`, body, process)
        // Refusals, such as of settings of a room that was left, are part of the game.
        if (kind === 'send') await rooms.send(other, roomId, `message ${choice}`, process)
        else if (kind === 'list') await list(me, `limit=${1 + (choice % 30)}`, process)
        else if (kind === 'pin') await settings({ pinned: choice % 3 > 0 })
        else if (kind === 'archive') await settings({ archived: choice % 2 > 0 })
        else if (kind === 'leave') await rooms.as(me, 'POST', `/rooms/${roomId}/leave`, undefined, process)
        else await rooms.as(me, 'POST', '/rooms', { name: 'new', member_ids: [] }, process)
      }),
    )
    for (const process of PROCESSES) await compare(me, process)
  }
}

/** Compares two pages and the archive with the stores, again if a line about a member was stored meanwhile. */
async function compare(userId: number, process: number): Promise<void> {
  for (;;) {
    const before = await expected(userId)
    const first = await list(userId, 'limit=20', process)
    const second = await list(userId, `limit=20&cursor=${first.next_cursor}`, process)
    const archived = await list(userId, 'archived=true&limit=20', process)
    if (JSON.stringify(before) !== JSON.stringify(await expected(userId))) continue
    expect([ids(first), ids(second), ids(archived)]).toEqual([
      before.shown.slice(0, 20),
      before.shown.slice(20, 40),
      before.archived.slice(0, 20),
    ])
    return
  }
}

async function expected(userId: number): Promise<{ shown: number[]; archived: number[] }> {
  const places = await rooms.chat.mysql.query<Record<string, never>>(
    `SELECT m.room_id, m.pinned_at IS NOT NULL AS pinned, m.archived_at IS NOT NULL AS archived, r.last_activity_at
     FROM room_members m JOIN rooms r ON r.id = m.room_id WHERE m.user_id = ?`,
    [userId],
  )
  const newest = await rooms.db
    .collection('messages')
    .aggregate<{ _id: number; at: Date }>([{ $group: { _id: '$room_id', at: { $max: '$created_at' } } }])
    .toArray()
  const times = new Map(newest.map(({ _id, at }) => [_id, at.getTime()]))
  const sorted = places
    .map((place) => ({
      roomId: Number(place.room_id),
      pinned: Number(place.pinned) === 1,
      isArchived: Number(place.archived) === 1,
      at: Math.max(new Date(place.last_activity_at!).getTime(), times.get(Number(place.room_id)) ?? 0),
    }))
    .sort(compareInList)
  const idsOf = (isArchived: boolean) =>
    sorted.filter((each) => each.isArchived === isArchived).map(({ roomId }) => roomId)
  return { shown: idsOf(false), archived: idsOf(true) }
}

import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestRooms, type TestRooms, upTo } from '../../../../testing/rooms.ts'
import { positionId } from '../message.ts'
import { collections, unreadMentions } from './documents.ts'
import { sweepPipeline } from './room-log.repository.ts'

let rooms: TestRooms

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())

it('every query uses an index', async () => {
  const [a, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(a, b)
  for (const n of upTo(3))
    await Promise.all(
      upTo(50).map((m) => rooms.send(a, roomId, { content: `색인 ${n} ${m}`, mentions: [b] })),
    )
  const messages = rooms.db.collection<{ _id: string }>(collections.messages)
  const changes = rooms.db.collection<{ _id: string }>(collections.changes)
  // The planner scans a small collection regardless of its indexes.
  for (const name of [collections.positions, collections.hidden, collections.changes]) {
    const filler = upTo(3_000).map((n) => ({
      room_id: -n,
      user_id: -n,
      message_id: `none ${n}`,
      cseq: n,
      at: new Date(),
    }))
    await rooms.db.collection(name).insertMany(filler)
  }
  const range = { _id: { $gte: `${roomId}:`, $lt: `${roomId};` } }
  const sweepOf = (log: typeof messages) => {
    const at = new Date(Date.now() - 30_000)
    return log.aggregate(sweepPipeline({ at }, 5_000))
  }
  const plans: [string, { explain(): Promise<unknown> }, string][] = [
    ['head', messages.find(range).sort({ _id: -1 }).limit(1), '_id_'],
    ['history', messages.find(range).sort({ _id: 1 }).limit(50), '_id_'],
    ['beyond', messages.find({ _id: { $in: [`${roomId}:000000000151`] } }), '_id_'],
    [
      'client id',
      messages.find({ room_id: roomId, user_id: a, client_message_id: 'x' }),
      'client_message_id',
    ],
    ['sweep', sweepOf(messages), 'created'],
    ['sweep of changes', sweepOf(changes), 'created'],
    [
      'resume',
      messages.find({ room_id: { $in: [roomId, 1, 2] }, created_at: { $gte: new Date() } }).limit(1_001),
      'room_time',
    ],
    ['mentions', messages.find({ mentions: b, room_id: { $in: [roomId] } }).limit(500), unreadMentions],
    [
      'unread mentions',
      messages
        .find({ $or: [{ mentions: b, room_id: roomId, _id: { $gt: positionId(roomId, 1) } }] })
        .hint(unreadMentions),
      unreadMentions,
    ],
    ['pins', messages.find({ room_id: roomId, pinned_at: { $exists: true } }), 'pins'],
    [
      'author',
      messages
        .find({ user_id: a, _id: { $gt: '' } })
        .sort({ _id: 1 })
        .limit(200),
      'author',
    ],
    ['changes of messages', changes.find({ message_id: { $in: ['x'] }, cseq: { $gt: 1 } }), 'message'],
    [
      'positions',
      rooms.db.collection(collections.positions).find({ room_id: roomId, at: { $gte: new Date(0) } }),
      'room',
    ],
    ['hidden', rooms.db.collection(collections.hidden).find({ message_id: { $in: ['x'] } }), 'message'],
  ]
  for (const [name, cursor, index] of plans) {
    // Index costs are not part of the chosen plan.
    const plan = JSON.stringify(await cursor.explain()).replace(/"IndexCosts":\[[^\]]*\]/g, '')
    const used = [...plan.matchAll(/"(?:indexName|Index Name|index_name)":"([^"]+)"/g)].map(
      (match) => match[1],
    )
    expect(used, `${name}: ${plan.slice(0, 1_500)}`).toContain(index)
    expect(plan, name).not.toMatch(/COLLSCAN|"Seq Scan"/)
  }
})

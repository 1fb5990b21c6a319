import type { Message, Room } from '@bigtech/contracts'
import { storeRequests, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BACKGROUND, startTestRooms, type TestRooms, upTo } from '../../../../testing/rooms.ts'
import { positionId } from '../message.ts'

let rooms: TestRooms

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())

/** Inserts copies of a message after it. */
async function goOnWith(message: Message, count: number): Promise<void> {
  const messages = rooms.db.collection<{ _id: string }>('messages')
  const { _id, ...doc } = (await messages.findOne({ _id: message.message_id }))!
  await messages.insertMany(
    upTo(count).map((n) => ({
      ...doc,
      _id: positionId(message.room_id, message.seq + n),
      event_id: `e${n}`,
    })),
  )
}

it('room summaries count the unread mentions of each room exactly, independent of other rooms', async () => {
  const [owner, me] = await rooms.chat.people(2)
  const mentioned = { content: 'you there?', mentions: [me] }
  const roomIds: number[] = []
  for (const _ of upTo(30)) roomIds.push(await rooms.room(owner, me))
  for (const roomId of roomIds) await rooms.send(owner, roomId, mentioned)
  const [quiet, busy, read] = roomIds as [number, number, number]
  const markRead = async (roomId: number, seq: number) =>
    expect((await rooms.as(me, 'PUT', `/rooms/${roomId}/read`, { seq })).status).toBe(200)
  await markRead(quiet, 1)
  await rooms.send(owner, quiet, 'nothing of yours')
  await rooms.send(owner, quiet, mentioned)
  const counts = async () => {
    const { items } = (await rooms.as(me, 'GET', '/rooms?limit=100')).body as { items: Room[] }
    return new Map(items.map(({ room_id, mention_count }) => [room_id, mention_count]))
  }
  const one = roomIds.map((roomId) => [roomId, 1] as const)
  expect(await counts()).toEqual(new Map(one))

  for (const roomId of [busy, read]) {
    await goOnWith(await rooms.send(owner, roomId, mentioned), 1_200)
    await rooms.as(owner, 'GET', `/messages/${roomId}`)
  }
  await rooms.send(owner, read, mentioned, 1)
  await markRead(read, 1_203)
  expect(await counts()).toEqual(new Map([...one, [busy, 1_202], [read, 0]]))
})

it('room summaries take four store requests for any number of read rooms, and three more with unread ones', async () => {
  const [owner, me] = await rooms.chat.people(2)
  const roomIds: number[] = []
  for (const _ of upTo(6)) roomIds.push(await rooms.room(owner, me))
  for (const roomId of roomIds) await rooms.send(me, roomId, 'said by me')
  const [service] = rooms.chat.services
  const list = () => rooms.as(me, 'GET', '/rooms?limit=20')
  const stored = () =>
    rooms.chat.mysql.query(`SELECT id FROM rooms WHERE id IN (?) AND last_seq = 0`, [roomIds])
  // MySQL is updated once a second.
  await waitFor(async () => (await stored()).length === 0)
  await list()
  const cost = () => storeRequests(service!.metrics, BACKGROUND, list)
  const always = {
    'mysql room_places': 1,
    'mysql room_details': 1,
    'mongodb messages.beyond': 1,
    'mongodb messages.room_summaries': 1,
  }
  expect(await cost()).toEqual(always)
  await rooms.send(owner, roomIds[0]!, 'news')
  await waitFor(
    async () =>
      (await rooms.chat.mysql.query('SELECT id FROM rooms WHERE id = ? AND last_seq = 2', [roomIds[0]]))
        .length === 1,
  )
  expect((await list()).body.items[0].unread_count).toBe(1)
  expect(await cost()).toEqual({ ...always, 'mongodb messages.count': 2, 'mongodb messages.mentions': 1 })
})

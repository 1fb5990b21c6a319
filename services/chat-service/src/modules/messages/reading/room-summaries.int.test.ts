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

it('room summaries take two store requests for any number of read rooms, and one more with unread ones', async () => {
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
    'mysql room_details_all': 1,
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
  expect(await cost()).toEqual({ ...always, 'mongodb messages.unread': 1 })
})

it('room summaries count the same unread messages whether these are few or many', async () => {
  const [owner, me] = await rooms.chat.people(2)
  const few = await rooms.room(owner, me)
  const many = await rooms.room(owner, me)
  const unread = async (roomId: number) => {
    const { items } = (await rooms.as(me, 'GET', '/rooms')).body as { items: Room[] }
    const room = items.find(({ room_id }) => room_id === roomId)!
    return [room.unread_count, room.mention_count]
  }
  for (const roomId of [few, many]) {
    await rooms.send(owner, roomId, 'seen')
    await rooms.as(me, 'PUT', `/rooms/${roomId}/read`, { seq: 1 })
    await rooms.as(owner, 'PATCH', `/rooms/${roomId}`, { name: 'a system message' })
    const renamed = { room_id: roomId, message_type: 'system' }
    await waitFor(() => rooms.db.collection('messages').findOne(renamed), { what: 'the system message' })
    const [deleted, hidden] = [await rooms.send(owner, roomId, 'a'), await rooms.send(owner, roomId, 'b')]
    await rooms.as(owner, 'DELETE', `/messages/${roomId}/${deleted.message_id}`)
    await rooms.as(me, 'DELETE', `/messages/${roomId}/${hidden.message_id}?for=me`)
    await rooms.send(owner, roomId, { content: 'you', mentions: [me] })
  }
  // The document of a deleted message follows its change.
  await waitFor(async () => (await unread(few)).join() === '1,1', { what: 'one unread message' })
  await goOnWith(await rooms.send(owner, many, 'the next of many'), 400)
  await rooms.as(owner, 'GET', `/messages/${many}`)
  await waitFor(async () => (await unread(many)).join() === '402,1', { what: '402 unread messages' })
})

it('room summaries include messages that another process has just stored', async () => {
  const [owner, me] = await rooms.chat.people(2)
  const [first, second] = [await rooms.room(owner, me), await rooms.room(owner, me)]
  for (const roomId of [first, second]) await rooms.send(owner, roomId, 'known to both processes')
  const list = async () => (await rooms.as(me, 'GET', '/rooms', undefined, 1)).body.items as Room[]
  await list()
  for (const roomId of [first, second, first]) {
    const { seq } = await rooms.send(owner, roomId, `news in ${roomId}`, 0)
    expect((await list())[0]).toMatchObject({
      room_id: roomId,
      last_seq: seq,
      unread_count: seq,
      last_message_preview: `news in ${roomId}`,
    })
    const { body } = await rooms.as(me, 'GET', `/rooms/${roomId}`, undefined, 1)
    expect(body).toMatchObject({ last_seq: seq, unread_count: seq })
  }
})

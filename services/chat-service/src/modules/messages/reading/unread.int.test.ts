import type { Message } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestChat } from '../../../../testing/chat.ts'
import { startTestRooms, type TestRooms, untilPublished, upTo } from '../../../../testing/rooms.ts'
import { collections } from '../log/documents.ts'

let rooms: TestRooms

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())

const badge = async (userId: number, roomId: number, process = 0) => {
  const { body } = await rooms.as(userId, 'GET', `/rooms/${roomId}`, undefined, process)
  return { unread: body.unread_count, mentions: body.mention_count }
}
const invite = async (owner: number, roomId: number, userId: number) => {
  await rooms.chat.befriend(owner, userId)
  const url = `/rooms/${roomId}/members`
  expect((await rooms.as(owner, 'POST', url, { member_ids: [userId] })).status).toBe(200)
}
/** Returns the system message about the latest change. */
const systemLine = (roomId: number, kind: string) =>
  waitFor(() => rooms.db.collection(collections.messages).findOne({ room_id: roomId, 'system.kind': kind }))

it('a sender has exactly one unread message after the next one, immediately and on every process', async () => {
  const [a, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(a, b)
  for (const n of upTo(7)) await rooms.send(b, roomId, `${n}`)
  for (const round of upTo(5)) {
    await rooms.send(a, roomId, `answer ${round}`)
    await rooms.send(b, roomId, `next ${round}`)
    for (const process of [1, 0]) expect((await badge(a, roomId, process)).unread).toBe(1)
    const { body } = await rooms.as(b, 'GET', `/messages/${roomId}?limit=2`, undefined, 1)
    expect(body.items.map((each: Message) => each.unread_count)).toEqual([0, 1])
  }
})

it('counts do not depend on whether the position of a sender is already stored', async () => {
  const [a, b, c] = await rooms.chat.people(3)
  const roomId = await rooms.room(a, b, c)
  const senderPosition = { _id: `${roomId}:${a}` } as object
  for (const n of upTo(3)) await rooms.send(b, roomId, `${n}`)
  await rooms.send(a, roomId, 'answer')
  await rooms.send(c, roomId, 'next')
  await untilPublished(rooms.db, roomId)
  await rooms.db.collection(collections.positions).deleteOne(senderPosition)
  expect((await badge(a, roomId, 1)).unread).toBe(1)
  const { body } = await rooms.as(b, 'GET', `/messages/${roomId}?limit=5`, undefined, 1)
  expect(body.items.map((each: Message) => each.unread_count)).toEqual([0, 0, 0, 1, 2])
  const latest = await rooms.send(a, roomId, 'last')
  await waitFor(() => rooms.db.collection(collections.positions).findOne(senderPosition))
  await rooms.db.collection(collections.positions).deleteOne(senderPosition)
  expect(latest.seq).toBe(6)
  expect((await badge(a, roomId, 1)).unread).toBe(0)
})

it('a sender has read all earlier messages even while Kafka is down and many events wait', async () => {
  const chat = await startTestChat({ KAFKA_BROKERS: ['127.0.0.1:1'], SENDS_PER_10_SECONDS: 100_000 })
  const other = await chat.another()
  const [a, b] = await chat.people(2)
  await chat.befriend(a, b)
  const open = () => chat.as(a, 'POST', '/rooms', { member_ids: [b] })
  const roomId = await waitFor(async () => (await open()).body.room_id as number | undefined)
  const send = (from: number) => chat.as(from, 'POST', `/messages/${roomId}`, { content: 'x' })
  await Promise.all(upTo(200).map(() => send(b)))
  await send(a)
  await send(b)
  for (const process of [chat.services[0], other]) {
    const { body } = await chat.as(a, 'GET', `/rooms/${roomId}`, undefined, process)
    expect(body).toMatchObject({ last_seq: 202, unread_count: 1 })
  }
  await chat.close()
}, 60_000)

it('system messages and deleted messages do not count as unread', async () => {
  const [a, b, c] = await rooms.chat.people(3)
  const roomId = await rooms.room(a, b, c)
  const sent = []
  for (const n of upTo(4)) sent.push(await rooms.send(a, roomId, { content: `${n}`, mentions: [b] }))
  expect(await badge(b, roomId)).toEqual({ unread: 4, mentions: 4 })
  await rooms.as(a, 'PATCH', `/rooms/${roomId}`, { name: 'renamed' })
  await rooms.as(c, 'POST', `/rooms/${roomId}/leave`)
  await systemLine(roomId, 'room_renamed')
  await systemLine(roomId, 'member_left')
  expect((await badge(b, roomId, 1)).unread).toBe(4)
  await rooms.as(a, 'DELETE', `/messages/${roomId}/${sent[1]!.message_id}`)
  expect(await badge(b, roomId)).toEqual({ unread: 3, mentions: 3 })
  await rooms.as(b, 'DELETE', `/messages/${roomId}/${sent[2]!.message_id}?for=me`)
  expect(await badge(b, roomId, 1)).toMatchObject({ unread: 2 })
  // Deleted both ways, still one message.
  await rooms.as(a, 'DELETE', `/messages/${roomId}/${sent[2]!.message_id}`)
  expect((await badge(b, roomId)).unread).toBe(2)
  await rooms.as(b, 'PUT', `/rooms/${roomId}/read`, { seq: 4 })
  expect(await badge(b, roomId)).toEqual({ unread: 0, mentions: 0 })
})

it('a new member starts with no unread messages, and the unread counts of older messages are unchanged', async () => {
  const [a, b, late, linked] = await rooms.chat.people(4)
  const roomId = await rooms.room(a, b)
  for (const n of upTo(5)) await rooms.send(a, roomId, `${n}`)
  const counts = async (process = 0) => {
    const { body } = await rooms.as(a, 'GET', `/messages/${roomId}`, undefined, process)
    return body.items
      .filter((each: Message) => each.message_type !== 'system')
      .map((each: Message) => each.unread_count)
  }
  expect(await counts()).toEqual([1, 1, 1, 1, 1])
  await invite(a, roomId, late)
  const { token } = (await rooms.as(a, 'POST', `/rooms/${roomId}/links`, {})).body
  expect((await rooms.as(linked, 'POST', `/rooms/join/${token}`)).status).toBe(200)
  await systemLine(roomId, 'member_joined')
  for (const process of [0, 1]) {
    expect(await counts(process)).toEqual([1, 1, 1, 1, 1])
    for (const newcomer of [late, linked]) expect((await badge(newcomer, roomId, process)).unread).toBe(0)
  }
  const { body } = await rooms.as(late, 'GET', `/messages/${roomId}`)
  expect(body.items.slice(0, 5).map((each: Message) => each.content)).toEqual(['1', '2', '3', '4', '5'])
  await rooms.send(a, roomId, 'welcome')
  expect((await badge(late, roomId, 1)).unread).toBe(1)
  expect((await counts()).at(-1)).toBe(3)
})

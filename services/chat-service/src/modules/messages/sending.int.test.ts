import type { Message } from '@bigtech/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestRooms, type TestRooms } from '../../../testing/rooms.ts'
import { openTestStream } from '../../../testing/stream.ts'

let rooms: TestRooms

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())

const urlOf = ({ room_id, message_id }: Pick<Message, 'room_id' | 'message_id'>) =>
  `/messages/${room_id}/${message_id}`
const leave = (userId: number, roomId: number) => rooms.as(userId, 'POST', `/rooms/${roomId}/leave`)

describe('a reply', () => {
  it('a reply shows nothing of the original to members whose history begins after it', async () => {
    const [a, b, late] = await rooms.chat.people(3)
    const roomId = await rooms.room(a, b)
    await rooms.as(a, 'PATCH', `/rooms/${roomId}`, { history_visibility: 'since_join' })
    const secret = await rooms.send(a, roomId, 'before you came')
    await rooms.chat.befriend(a, late)
    await rooms.as(a, 'POST', `/rooms/${roomId}/members`, { member_ids: [late] })
    const stream = await openTestStream(rooms.addresses[1]!, { token: await rooms.chat.token(late) })
    const reply = await rooms.send(b, roomId, { content: 'agreed', reply_to: secret.message_id })
    expect(reply.reply_preview).toMatchObject({ seq: secret.seq, content: 'before you came' })
    await rooms.indexed(roomId)
    for (const url of [urlOf(reply), `/messages/${roomId}`, '/messages/search?q=agreed']) {
      const { body } = await rooms.as(late, 'GET', url)
      const all: Message[] = body.items ?? [body]
      const shown = all.find(({ message_id }) => message_id === reply.message_id)
      expect(shown, url).toMatchObject({
        content: 'agreed',
        reply_to: secret.message_id,
        reply_preview: null,
      })
      expect(JSON.stringify(body), url).not.toContain('before you came')
    }
    const seen = await stream.waitFor('message', ({ message }) => message.message_id === reply.message_id)
    expect(seen.message.reply_preview).toBeNull()
    stream.kill()
  })

  it('a reply shows nothing of the original to members who deleted it for themselves, and to nobody once it is deleted', async () => {
    const [a, b, c] = await rooms.chat.people(3)
    const roomId = await rooms.room(a, b, c)
    const original = await rooms.send(a, roomId, 'regretted')
    await rooms.as(c, 'DELETE', `${urlOf(original)}?for=me`)
    const stream = await openTestStream(rooms.addresses[0]!, { token: await rooms.chat.token(c) })
    const reply = await rooms.send(b, roomId, { content: 'why?', reply_to: original.message_id })
    const previewFor = async (userId: number, process = 0) =>
      (await rooms.as(userId, 'GET', urlOf(reply), undefined, process)).body.reply_preview
    expect(await previewFor(a)).toMatchObject({ content: 'regretted', is_deleted: false })
    expect(await previewFor(c, 1)).toMatchObject({ content: '', is_deleted: true })
    const seen = await stream.waitFor('message', ({ message }) => message.message_id === reply.message_id)
    expect(seen.message.reply_preview).toMatchObject({ content: '', is_deleted: true })
    stream.kill()
    await rooms.as(a, 'DELETE', urlOf(original))
    expect(await previewFor(b, 1)).toMatchObject({ content: '', is_deleted: true })
  })
})

describe('a retry with the same client_message_id', () => {
  it('a retry returns the stored reply although the original has been deleted', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const original = await rooms.send(a, roomId, 'original')
    const body = { content: 'reply', reply_to: original.message_id, client_message_id: 'r-1' }
    const sent = await rooms.send(b, roomId, body)
    await rooms.as(a, 'DELETE', urlOf(original))
    for (const process of [0, 1]) {
      const again = await rooms.as(b, 'POST', `/messages/${roomId}`, body, process)
      expect(again).toMatchObject({ status: 201, body: { message_id: sent.message_id, content: 'reply' } })
    }
    const other = await rooms.as(b, 'POST', `/messages/${roomId}`, { ...body, content: 'another' })
    expect(other).toMatchObject({ status: 409, body: { code: 'MESSAGE_ID_REUSED' } })
    const fresh = await rooms.as(b, 'POST', `/messages/${roomId}`, { ...body, client_message_id: 'r-2' })
    expect(fresh).toMatchObject({ status: 404, body: { code: 'MESSAGE_NOT_FOUND' } })
  })

  it('a retry returns the stored message although a mentioned member has left', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const body = { content: 'you', mentions: [b], client_message_id: 'm-1' }
    const sent = await rooms.send(a, roomId, body)
    await leave(b, roomId)
    expect(await rooms.as(a, 'POST', `/messages/${roomId}`, body)).toMatchObject({
      status: 201,
      body: { message_id: sent.message_id, mentions: [b] },
    })
    const fresh = await rooms.as(a, 'POST', `/messages/${roomId}`, { ...body, client_message_id: 'm-2' })
    expect(fresh.body).toMatchObject({ code: 'VALIDATION_FAILED', errors: [{ field: 'mentions.0' }] })
  })

  it('a retry returns the stored direct message although the friendship has ended', async () => {
    const [a, b] = await rooms.chat.people(2)
    await rooms.chat.befriend(a, b)
    const roomId = (await rooms.as(a, 'PUT', `/rooms/direct/${b}`)).body.room_id
    const body = { content: 'before', client_message_id: 'd-1' }
    const sent = await rooms.send(a, roomId, body)
    await rooms.chat.block(b, a)
    const parted = await rooms.chat.another()
    await rooms.chat.untilReady()
    const send = (id: string) =>
      rooms.chat.as(a, 'POST', `/messages/${roomId}`, { ...body, client_message_id: id }, parted)
    expect((await send('d-2')).body.code).toBe('DIRECT_MESSAGE_REFUSED')
    expect(await send('d-1')).toMatchObject({ status: 201, body: { message_id: sent.message_id } })
  })

  it('a retry returns the stored forwards although the original has been edited or deleted', async () => {
    const [a, b] = await rooms.chat.people(2)
    const [roomId, one, two] = [await rooms.room(a, b), await rooms.room(a), await rooms.room(a)]
    const original = await rooms.send(a, roomId, 'news')
    const forward = (id: string, targets = [one, two]) =>
      rooms.as(a, 'POST', `${urlOf(original)}/forward`, { room_ids: targets, client_message_id: id })
    const sent = await forward('f-1')
    const ids = (answer: { body: { items: Message[] } }) => answer.body.items.map((each) => each.message_id)
    await rooms.as(a, 'PATCH', urlOf(original), { content: 'old news' })
    expect(ids(await forward('f-1'))).toEqual(ids(sent))
    await rooms.as(a, 'DELETE', urlOf(original))
    const again = await forward('f-1')
    expect(again.status).toBe(201)
    expect(ids(again)).toEqual(ids(sent))
    expect(again.body.items[0].content).toBe('news')
    expect((await forward('f-2')).status).toBe(404)
    // A partially stored forward cannot be completed.
    expect((await forward('f-1', [one, two, await rooms.room(a)])).status).toBe(404)
  })
})

describe('editMessage', () => {
  it('an edit keeps omitted mentions, and replaces or clears given ones', async () => {
    const [a, b, c] = await rooms.chat.people(3)
    const roomId = await rooms.room(a, b, c)
    const message = await rooms.send(a, roomId, { content: 'helo', mentions: [b, c] })
    const edit = (body: object, process = 0) => rooms.as(a, 'PATCH', urlOf(message), body, process)
    expect((await edit({ content: 'hello' })).body).toMatchObject({ content: 'hello', mentions: [b, c] })
    expect((await rooms.as(b, 'GET', urlOf(message), undefined, 1)).body.mentions).toEqual([b, c])
    // The same text with other mentions is a change too.
    expect((await edit({ content: 'hello', mentions: [c] }, 1)).body).toMatchObject({ mentions: [c], rev: 2 })
    expect((await edit({ content: 'hello', mentions: [c] })).body.rev).toBe(2)
    expect((await edit({ content: 'hello', mentions: [] })).body).toMatchObject({ mentions: [], rev: 3 })
  })

  it('an edit may keep the mention of a former member, but not add a mention of a non-member', async () => {
    const [a, b, outsider] = await rooms.chat.people(3)
    const roomId = await rooms.room(a, b)
    const message = await rooms.send(a, roomId, { content: 'helo', mentions: [b] })
    await leave(b, roomId)
    const edit = (body: object) => rooms.as(a, 'PATCH', urlOf(message), body)
    expect(await edit({ content: 'hello' })).toMatchObject({ status: 200, body: { mentions: [b] } })
    expect((await edit({ content: 'hello!', mentions: [b] })).status).toBe(200)
    expect((await edit({ content: 'hello?', mentions: [b, outsider] })).body).toMatchObject({
      code: 'VALIDATION_FAILED',
      errors: [{ field: 'mentions.1' }],
    })
  })

  it('an edit can remove the caption of an image, but not the text of a message without an image', async () => {
    const [a] = await rooms.chat.people(1)
    const roomId = await rooms.room(a)
    const file = rooms.media.file()
    const sent = { content: 'caption', message_type: 'image', file_id: file.file_id }
    const picture = await rooms.send(a, roomId, sent)
    expect(await rooms.as(a, 'PATCH', urlOf(picture), { content: '' })).toMatchObject({
      status: 200,
      body: { content: '', file, rev: 1 },
    })
    const text = await rooms.send(a, roomId, 'text')
    expect((await rooms.as(a, 'PATCH', urlOf(text), { content: '' })).body).toMatchObject({
      code: 'VALIDATION_FAILED',
      errors: [{ field: 'content', message: 'Write something.' }],
    })
  })
})

it('messages of a deleted account show an unknown user, like its name everywhere else', async () => {
  const [gone, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(gone, b)
  const kept = await rooms.send(gone, roomId, 'kept')
  const reply = await rooms.send(b, roomId, { content: 'reply', reply_to: kept.message_id })
  await rooms.db
    .collection<{ _id: string }>('messages')
    .updateMany({ room_id: roomId, user_id: gone }, { $set: { username: '' } })
  const { body } = await rooms.as(b, 'GET', `/messages/${roomId}`)
  const found = (id: string) => body.items.find((each: Message) => each.message_id === id)
  expect(found(kept.message_id).username).toBe('unknown user')
  expect(found(reply.message_id).reply_preview.username).toBe('unknown user')
})

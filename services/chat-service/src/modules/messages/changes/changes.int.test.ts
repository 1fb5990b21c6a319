import { type Message, messageDeleted, messageEdited } from '@bigtech/contracts'
import { collectEvents } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestRooms, type TestRooms, untilPublished, upTo } from '../../../../testing/rooms.ts'

let rooms: TestRooms

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())

const urlOf = ({ room_id, message_id }: Pick<Message, 'room_id' | 'message_id'>) =>
  `/messages/${room_id}/${message_id}`
const reactionUrl = (message: Message, emoji: string) =>
  `${urlOf(message)}/reactions/${encodeURIComponent(emoji)}`

async function setUp(people = 3) {
  const ids = await rooms.chat.people(people)
  const roomId = await rooms.room(...ids)
  return { ids, roomId, a: ids[0]!, b: ids[1]!, c: ids[2]! }
}

describe('editMessage', () => {
  it('an edit keeps and counts the versions, which are visible on the other process', async () => {
    const { a, b, roomId } = await setUp()
    const message = await rooms.send(a, roomId, '처음')
    for (const content of ['둘째', '셋째']) {
      const answer = await rooms.as(a, 'PATCH', urlOf(message), { content, mentions: [b] })
      expect(answer).toMatchObject({ status: 200, body: { content, mentions: [b] } })
    }
    const seen = await rooms.as(b, 'GET', urlOf(message), undefined, 1)
    expect(seen.body).toMatchObject({ content: '셋째', rev: 2, cseq: 2, edited_at: expect.any(String) })
    const versions = await rooms.as(b, 'GET', `${urlOf(message)}/versions`)
    expect(
      versions.body.items.map(({ rev, content }: { rev: number; content: string }) => [rev, content]),
    ).toEqual([
      [0, '처음'],
      [1, '둘째'],
      [2, '셋째'],
    ])
  })

  it('the newest 100 versions of a message can be paged through, and lists never read them', async () => {
    const { a, b, roomId } = await setUp()
    const message = await rooms.send(a, roomId, 'edit 0')
    for (let n = 1; n <= 120; n += 20) {
      const batch = upTo(20).map((each) =>
        rooms.as(a, 'PATCH', urlOf(message), { content: `edit ${n + each - 1}` }, each % 2),
      )
      expect((await Promise.all(batch)).map(({ status }) => status)).toEqual(upTo(20).map(() => 200))
    }
    const seen: number[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await rooms.as(
        b,
        'GET',
        `${urlOf(message)}/versions?limit=30${cursor && `&cursor=${cursor}`}`,
      )
      expect(page.body.items.length).toBeLessThanOrEqual(30)
      seen.push(...page.body.items.map(({ rev }: { rev: number }) => rev))
      cursor = page.body.next_cursor
    }
    expect(seen).toEqual(upTo(100).map((n) => n + 20))
    const versions = rooms.db.collection<{ _id: string }>('message_versions')
    const ofMessage = { _id: { $gte: `${message.message_id}:`, $lt: `${message.message_id};` } }
    expect(await versions.countDocuments(ofMessage)).toBe(99)
    const stored = await rooms.db.collection<{ _id: string }>('messages').findOne({ _id: message.message_id })
    expect(stored).not.toHaveProperty('versions')
    await rooms.as(a, 'DELETE', urlOf(message))
    expect(await versions.countDocuments(ofMessage)).toBe(0)
  }, 60_000)

  it('the versions of messages edited before versions had a collection are returned', async () => {
    const { a, roomId } = await setUp()
    const message = await rooms.send(a, roomId, 'second')
    const messages = rooms.db.collection<{ _id: string }>('messages')
    const written_at = new Date()
    const old = { rev: 1, edited_at: written_at, versions: [{ rev: 0, content: 'first', written_at }] }
    await messages.updateOne({ _id: message.message_id }, { $set: old })
    await rooms.as(a, 'PATCH', urlOf(message), { content: 'third' })
    const { body } = await rooms.as(a, 'GET', `${urlOf(message)}/versions`)
    expect(body.items.map(({ content }: { content: string }) => content)).toEqual([
      'first',
      'second',
      'third',
    ])
    const exported = await rooms.as(a, 'GET', '/rooms/export')
    expect(JSON.stringify(exported.body)).toContain('first')
    await rooms.as(a, 'DELETE', urlOf(message))
    expect(JSON.stringify(await messages.findOne({ _id: message.message_id }))).not.toContain('first')
  })

  it('an edit applies to the state written by another process', async () => {
    const { a, b, roomId } = await setUp()
    const message = await rooms.send(a, roomId, '처음')
    for (const [process, emoji] of ['👍', '❤️'].entries())
      expect((await rooms.as(b, 'PUT', reactionUrl(message, emoji), undefined, process)).status).toBe(200)
    expect(await rooms.as(a, 'PATCH', urlOf(message), { content: '둘째' }, 0)).toMatchObject({
      status: 200,
      body: { content: '둘째', rev: 1, cseq: 3 },
    })
  })

  it('an edit is allowed only to the author, within 24 hours, and not of a deleted message', async () => {
    const { a, b, roomId } = await setUp()
    const message = await rooms.send(a, roomId, 'mine')
    expect(await rooms.as(b, 'PATCH', urlOf(message), { content: 'yours' })).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN' },
    })
    const old = await rooms.send(a, roomId, 'old')
    const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1_000 - 1_000)
    await rooms.db
      .collection<{ _id: string }>('messages')
      .updateOne({ _id: old.message_id }, { $set: { created_at: yesterday } })
    expect((await rooms.as(a, 'PATCH', urlOf(old), { content: 'new' })).body.code).toBe('EDIT_WINDOW_OVER')
    await rooms.as(a, 'DELETE', urlOf(message))
    expect((await rooms.as(a, 'PATCH', urlOf(message), { content: 'back' })).body.code).toBe(
      'MESSAGE_NOT_FOUND',
    )
  })
})

describe('deleteMessage', () => {
  it('a deletion removes the content from every response and keeps the position', async () => {
    const { a, b, roomId } = await setUp()
    const secret = 'unforgettable'
    const message = await rooms.send(a, roomId, { content: secret, mentions: [b] })
    await rooms.as(a, 'PATCH', urlOf(message), { content: `${secret} 2` })
    await rooms.as(b, 'PUT', `${urlOf(message)}/pin`)
    await rooms.as(b, 'PUT', reactionUrl(message, '👍'))
    const reply = await rooms.send(b, roomId, { content: 'answer', reply_to: message.message_id })
    expect(reply.reply_preview).toMatchObject({ content: `${secret} 2`, is_deleted: false })
    const gone = await rooms.as(a, 'DELETE', urlOf(message))
    expect(gone).toMatchObject({
      status: 200,
      body: {
        is_deleted: true,
        deleted_for: 'all',
        content: '',
        mentions: [],
        reactions: [],
        pinned_at: null,
      },
    })
    expect((await rooms.as(a, 'DELETE', urlOf(message))).status).toBe(200)
    await untilPublished(rooms.db, roomId)
    for (const url of [
      `/messages/${roomId}`,
      urlOf(message),
      `${urlOf(message)}/versions`,
      urlOf(reply),
      `/messages/${roomId}/pins`,
      `/messages/search?q=${secret}`,
      '/rooms',
    ]) {
      const answer = await rooms.as(b, 'GET', url, undefined, 1)
      expect(answer.status, url).toBe(200)
      expect(JSON.stringify(answer.body), url).not.toContain(secret)
    }
    for (const name of ['messages', 'room_changes']) {
      const docs = await rooms.db.collection(name).find({ room_id: roomId }).toArray()
      expect(JSON.stringify(docs), name).not.toContain(secret)
    }
    const history = await rooms.as(b, 'GET', `/messages/${roomId}`)
    expect(history.body.items.map(({ seq }: Message) => seq)).toEqual([1, 2])
  })

  it('a deletion for everybody is allowed to the author and to admins of a group', async () => {
    const { a, b, c, roomId } = await setUp()
    const message = await rooms.send(b, roomId, 'by b')
    expect((await rooms.as(c, 'DELETE', urlOf(message))).body.code).toBe('FORBIDDEN')
    expect((await rooms.as(a, 'DELETE', urlOf(message))).status).toBe(200)
  })

  it('a deletion for oneself hides the message from that user only, in every response', async () => {
    const { a, b, roomId } = await setUp()
    const message = await rooms.send(a, roomId, 'embarrassing')
    await rooms.indexed(roomId)
    const hidden = await rooms.as(b, 'DELETE', `${urlOf(message)}?for=me`)
    expect(hidden.body).toMatchObject({ is_deleted: true, deleted_for: 'me', content: '', seq: 1 })
    for (const url of [
      `/messages/${roomId}`,
      urlOf(message),
      `${urlOf(message)}/versions`,
      '/messages/search?q=embarrassing',
    ]) {
      expect(JSON.stringify((await rooms.as(b, 'GET', url, undefined, 1)).body), url).not.toContain(
        'embarrassing',
      )
      expect(JSON.stringify((await rooms.as(a, 'GET', url)).body), url).toContain('embarrassing')
    }
    const forward = await rooms.as(b, 'POST', `${urlOf(message)}/forward`, { room_ids: [roomId] })
    expect(forward.status).toBe(404)
  })
})

describe('addReaction', () => {
  it('adding a reaction is idempotent under concurrency, counts reactions, and marks those of the caller', async () => {
    const { a, b, roomId } = await setUp()
    const message = await rooms.send(a, roomId, 'react')
    const answers = await Promise.all(
      upTo(12).map((n) => rooms.as(n % 2 ? a : b, 'PUT', reactionUrl(message, '👍'), undefined, n % 2)),
    )
    expect(answers.map(({ status }) => status)).toEqual(upTo(12).map(() => 200))
    const seen = (await rooms.as(b, 'GET', urlOf(message))).body
    expect(seen.reactions).toEqual([{ emoji: '👍', count: 2, me: true }])
    expect(seen.cseq).toBe(2)
    await rooms.as(b, 'DELETE', reactionUrl(message, '👍'))
    await rooms.as(b, 'DELETE', reactionUrl(message, '👍'))
    expect((await rooms.as(b, 'GET', urlOf(message), undefined, 1)).body.reactions).toEqual([
      { emoji: '👍', count: 1, me: false },
    ])
  })

  it('a message admits exactly 20 different emoji under concurrency', async () => {
    const { a, b, roomId } = await setUp()
    const message = await rooms.send(a, roomId, 'react')
    const emoji = upTo(26).map((n) => String.fromCodePoint(0x1f600 + n))
    const answers = await Promise.all(
      emoji.map((each, n) => rooms.as(n % 2 ? a : b, 'PUT', reactionUrl(message, each), undefined, n % 2)),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20)
    expect(answers.filter(({ body }) => body.code === 'REACTION_LIMIT')).toHaveLength(6)
    expect((await rooms.as(a, 'GET', urlOf(message))).body.reactions).toHaveLength(20)
  })

  it.each(['a', '12', '👍👍', '<b>', '#'])('a message rejects the reaction %s', async (text) => {
    const { a, roomId } = await setUp()
    const message = await rooms.send(a, roomId, 'react')
    expect((await rooms.as(a, 'PUT', reactionUrl(message, text))).status).toBe(422)
  })

  it.each(['👨‍👩‍👧‍👦', '🇰🇷', '❤️', '👍🏽', '1️⃣'])('a message accepts the reaction %s', async (text) => {
    const { a, roomId } = await setUp()
    const message = await rooms.send(a, roomId, 'react')
    const answer = await rooms.as(a, 'PUT', reactionUrl(message, text))
    expect(answer.body.reactions).toEqual([{ emoji: text, count: 1, me: true }])
  })
})

describe('pinMessage, forwardMessage, reply', () => {
  it('the list of pins has at most 50 entries, newest first', async () => {
    const { a, b, roomId } = await setUp()
    const sent = []
    for (const n of upTo(51)) sent.push(await rooms.send(a, roomId, `pin ${n}`))
    for (const message of sent.slice(0, 50)) {
      expect((await rooms.as(b, 'PUT', `${urlOf(message)}/pin`)).status).toBe(200)
    }
    expect((await rooms.as(b, 'PUT', `${urlOf(sent[50]!)}/pin`)).body.code).toBe('PIN_LIMIT')
    await rooms.as(a, 'DELETE', `${urlOf(sent[0]!)}/pin`)
    const { body } = await rooms.as(a, 'GET', `/messages/${roomId}/pins`)
    expect(body.items.map(({ seq }: Message) => seq)).toEqual(upTo(50).slice(1).reverse())
  })

  it('a forward stores an independent copy in rooms of the sender', async () => {
    const { a, b, roomId } = await setUp()
    const [other, closed] = [await rooms.room(a, b), await rooms.room(b)]
    const file = rooms.media.file()
    const message = await rooms.send(a, roomId, { content: '', message_type: 'image', file_id: file.file_id })
    const refused = await rooms.as(a, 'POST', `${urlOf(message)}/forward`, { room_ids: [other, closed] })
    expect(refused.body.code).toBe('NOT_A_MEMBER')
    const forwarded = await rooms.as(a, 'POST', `${urlOf(message)}/forward`, { room_ids: [other] })
    expect(forwarded).toMatchObject({
      status: 201,
      body: {
        items: [{ room_id: other, seq: 1, is_forwarded: true, message_type: 'image', file }],
      },
    })
    await rooms.as(a, 'DELETE', urlOf(message))
    expect((await rooms.as(b, 'GET', `/messages/${other}`)).body.items[0].file).toEqual(file)
  })

  it('replies are accepted only to existing, visible messages', async () => {
    const { a, b, roomId } = await setUp()
    const elsewhere = await rooms.send(a, await rooms.room(a), 'elsewhere')
    const reply = (reply_to: string) => rooms.as(b, 'POST', `/messages/${roomId}`, { content: 'x', reply_to })
    expect((await reply(elsewhere.message_id)).body.code).toBe('MESSAGE_NOT_FOUND')
    expect((await reply(`${roomId}:000000000099`)).body.code).toBe('MESSAGE_NOT_FOUND')
  })
})

it('changes are decided and published in one order across both processes', async () => {
  const { a, roomId } = await setUp()
  const message = await rooms.send(a, roomId, 'start')
  const edits = await Promise.all(
    upTo(40).map((n) => rooms.as(a, 'PATCH', urlOf(message), { content: `edit ${n}` }, n % 2)),
  )
  expect(edits.map(({ status }) => status)).toEqual(upTo(40).map(() => 200))
  const seen = (await rooms.as(a, 'GET', urlOf(message))).body
  expect(seen).toMatchObject({ rev: 40, cseq: 40 })
  const log = await rooms.db.collection('room_changes').find({ room_id: roomId }).sort({ _id: 1 }).toArray()
  expect(log.map(({ cseq }) => cseq)).toEqual(upTo(40))
  // An edit whose message is deleted before its publication has no text and no event.
  await untilPublished(rooms.db, roomId)
  await rooms.as(a, 'DELETE', urlOf(message), undefined, 1)
  const { KAFKA_BROKERS: brokers, KAFKA_TOPIC_PREFIX: topicPrefix } = rooms.chat.config
  const collector = await collectEvents({ brokers, topicPrefix, topics: ['message.events'] })
  await collector.waitFor(messageDeleted, ({ message_id }) => message_id === message.message_id)
  const events = collector.events.filter(
    (each) => 'message_id' in each && each.message_id === message.message_id,
  )
  await collector.stop()
  expect(events.map(({ event_type }) => event_type)).toEqual([
    'MessageSent',
    ...upTo(40).map(() => 'MessageEdited'),
    'MessageDeleted',
  ])
  const revs = events
    .filter(({ event_type }) => event_type === messageEdited.type)
    .map((each) => 'rev' in each && each.rev)
  expect(revs).toEqual(upTo(40))
}, 60_000)

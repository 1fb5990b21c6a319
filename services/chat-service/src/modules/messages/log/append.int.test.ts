import { messageSent } from '@bigtech/contracts'
import { collectEvents } from '@bigtech/testkit'
import mongoose from 'mongoose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestRooms, type TestRooms, untilPublished, upTo } from '../../../../testing/rooms.ts'

let rooms: TestRooms

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())

const historyOf = async (userId: number, roomId: number, limit = 100) =>
  (await rooms.as(userId, 'GET', `/messages/${roomId}?limit=${limit}`)).body.items

describe('sendMessage', () => {
  it('100 concurrent sends from two processes get the seqs 1..100 without gaps or duplicates', async () => {
    const people = await rooms.chat.people(5)
    const roomId = await rooms.room(...people)
    const sent = await Promise.all(
      upTo(100).map((n) => rooms.send(people[n % 5]!, roomId, `message ${n}`, n % 2)),
    )
    expect(sent.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(upTo(100))
    const history = await historyOf(people[0]!, roomId)
    expect(history.map(({ seq }: { seq: number }) => seq)).toEqual(upTo(100))
    for (const message of sent) {
      expect(history[message.seq - 1]).toMatchObject({
        message_id: message.message_id,
        content: message.content,
      })
    }
    const times = history.map(({ created_at }: { created_at: string }) => created_at)
    expect(times).toEqual([...times].sort())
  })

  it('20 concurrent sends with the same client_message_id store one message, which all of them receive', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const body = { content: '한 번만', client_message_id: 'once-1' }
    const sent = await Promise.all(upTo(20).map((n) => rooms.send(a, roomId, body, n % 2)))
    for (const message of sent) expect(message).toEqual(sent[0])
    expect(await historyOf(a, roomId)).toEqual([sent[0]])
    const other = await rooms.as(a, 'POST', `/messages/${roomId}`, { ...body, content: 'something else' })
    expect(other).toMatchObject({ status: 409, body: { code: 'MESSAGE_ID_REUSED' } })
    // The id is scoped to its author and room.
    expect((await rooms.send(b, roomId, body)).seq).toBe(2)
    const elsewhere = await rooms.room(a)
    expect((await rooms.send(a, elsewhere, body)).seq).toBe(1)
  })

  it('a retry gets the current message, even after an edit', async () => {
    const [a] = await rooms.chat.people(1)
    const roomId = await rooms.room(a)
    const body = { content: 'before', client_message_id: 'edited-1' }
    const { message_id } = await rooms.send(a, roomId, body)
    await rooms.as(a, 'PATCH', `/messages/${roomId}/${message_id}`, { content: 'after' })
    expect(await rooms.send(a, roomId, body, 1)).toMatchObject({ message_id, content: 'after' })
  })

  it('retries inside a batch neither leave a gap nor fail other sends', async () => {
    const people = await rooms.chat.people(4)
    const roomId = await rooms.room(...people)
    const repeated = upTo(5).map((n) => ({ content: `repeat ${n}`, client_message_id: `r-${n}` }))
    for (const body of repeated) await rooms.send(people[0]!, roomId, body, 0)
    const answers = await Promise.all(
      upTo(60).map((n) =>
        n % 4 === 0
          ? rooms.send(people[0]!, roomId, repeated[(n / 4) % 5]!, n % 2)
          : n % 7 === 0
            ? rooms.as(
                people[0]!,
                'POST',
                `/messages/${roomId}`,
                { ...repeated[0]!, content: 'other' },
                n % 2,
              )
            : rooms.send(people[1 + (n % 3)]!, roomId, `new ${n}`, n % 2),
      ),
    )
    const refused = answers.flatMap((answer) => ('status' in answer ? [answer.status] : []))
    const reused = upTo(60).filter((n) => n % 4 !== 0 && n % 7 === 0)
    expect(refused).toEqual(reused.map(() => 409))
    const history = await historyOf(people[0]!, roomId)
    const fresh = upTo(60).filter((n) => n % 4 !== 0 && n % 7 !== 0)
    expect(history.map(({ seq }: { seq: number }) => seq)).toEqual(upTo(5 + fresh.length))
    const contents = history.map(({ content }: { content: string }) => content).sort()
    expect(contents).toEqual(
      [...repeated.map(({ content }) => content), ...fresh.map((n) => `new ${n}`)].sort(),
    )
  })

  it('every message is published as stored and in order, and the published position is recorded', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const sent = await Promise.all(
      upTo(30).map((n) => rooms.send(n % 2 ? a : b, roomId, `event ${n}`, n % 2)),
    )
    const { KAFKA_BROKERS: brokers, KAFKA_TOPIC_PREFIX: topicPrefix } = rooms.chat.config
    const collector = await collectEvents({ brokers, topicPrefix, topics: ['message.events'] })
    await collector.waitFor(messageSent, ({ room_id, seq }) => room_id === roomId && seq === 30)
    const events = collector.events.filter((each) => 'room_id' in each && each.room_id === roomId)
    await collector.stop()
    const inOrder = sent.sort((x, y) => x.seq - y.seq)
    expect(events).toMatchObject(
      inOrder.map(({ message_id, seq, content, user_id, created_at }) => ({
        message_id,
        seq,
        content,
        user_id,
        created_at,
        message_type: 'text',
      })),
    )
    await untilPublished(rooms.db, roomId)
    const head = await rooms.db.collection<{ _id: number }>('room_heads').findOne({ _id: roomId })
    expect(head).toMatchObject({ published_seq: 30 })
  }, 60_000)

  it.each([
    ['an outsider', 403, 'NOT_A_MEMBER'],
    ['a message to an unknown room', 404, 'ROOM_NOT_FOUND'],
  ])('sending a message rejects %s', async (who, status, code) => {
    const [a, outsider] = await rooms.chat.people(2)
    const roomId = who === 'an outsider' ? await rooms.room(a) : 2 ** 40
    for (const [method, url, body] of [
      ['POST', `/messages/${roomId}`, { content: 'x' }],
      ['GET', `/messages/${roomId}`, undefined],
      ['GET', `/messages/search?q=x&room_id=${roomId}`, undefined],
      ['PUT', `/rooms/${roomId}/read`, { seq: 1 }],
      ['GET', `/rooms/${roomId}/read`, undefined],
      ['POST', `/rooms/${roomId}/typing`, undefined],
      ['GET', `/messages/${roomId}/pins`, undefined],
    ] as const) {
      const answer = await rooms.as(outsider, method, url, body)
      expect({ url, status: answer.status, code: answer.body.code }).toEqual({ url, status, code })
    }
  })

  it('sending an invalid message names the invalid field', async () => {
    const [a] = await rooms.chat.people(1)
    const roomId = await rooms.room(a)
    const wrong: [object, string][] = [
      [{}, 'content'],
      [{ content: '' }, 'content'],
      [{ content: '   ' }, 'content'],
      [{ content: '가'.repeat(10_001) }, 'content'],
      [{ content: '👨‍👩‍👧‍👦'.repeat(1_400) }, 'content'],
      [{ content: 'x', message_type: 'system' }, 'message_type'],
      [{ content: 'x', message_type: 'image' }, 'file_id'],
      [{ content: 'x', message_type: 'image', file_id: '../7' }, 'file_id'],
      [{ content: 'x', attachment: { url: 'https://x.test/a' } }, 'attachment'],
      [{ content: 'x', client_message_id: '' }, 'client_message_id'],
      [{ content: 'x', reply_to: 'nonsense' }, 'reply_to'],
      [{ content: 'x', mentions: [a + 1] }, 'mentions.0'],
      [{ content: 'x', colour: 'red' }, 'colour'],
    ]
    for (const [body, field] of wrong) {
      const answer = await rooms.as(a, 'POST', `/messages/${roomId}`, body)
      expect(answer.status, JSON.stringify(body).slice(0, 60)).toBe(422)
      expect(answer.body.errors.map((each: { field: string }) => each.field)).toContain(field)
    }
    expect((await rooms.send(a, roomId, '가'.repeat(10_000))).seq).toBe(1)
  })

  it('sends are limited per user and room, and the response has the time until the next one', async () => {
    const limited = await rooms.chat.another({ SENDS_PER_10_SECONDS: 3 })
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const send = (userId: number) =>
      rooms.chat.as(userId, 'POST', `/messages/${roomId}`, { content: 'x' }, limited)
    const answers = []
    for (let n = 0; n < 8; n++) answers.push(await send(a))
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThanOrEqual(2)
    expect(refused[0]!.body.code).toBe('RATE_LIMITED')
    expect(Number(refused[0]!.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    expect(Number(refused[0]!.headers['retry-after'])).toBeLessThanOrEqual(10)
    expect((await send(b)).status).toBe(201)
  })
})

describe('the store', () => {
  it('messages are written with majority and journal, as seen in the wire commands', async () => {
    const commands: { name: string; writeConcern?: object }[] = []
    const create = mongoose.createConnection.bind(mongoose)
    const [a] = await rooms.chat.people(1)
    const roomId = await rooms.room(a)
    // Intercepts the service's own connection.
    mongoose.createConnection = ((...args: []) => {
      const connection = create(...args)
      const openUri = connection.openUri.bind(connection)
      connection.openUri = (uri, options) => {
        const opened = openUri(uri, { ...options, monitorCommands: true })
        connection.getClient().on('commandStarted', ({ commandName, command }) => {
          commands.push({ name: commandName, writeConcern: command.writeConcern })
        })
        return opened
      }
      return connection
    }) as typeof mongoose.createConnection
    const watched = await rooms.chat.another().finally(() => {
      mongoose.createConnection = create
    })
    const asMe = (method: string, url: string, body?: unknown) => rooms.chat.as(a, method, url, body, watched)
    const { body } = await asMe('POST', `/messages/${roomId}`, { content: 'x' })
    const url = `/messages/${roomId}/${body.message_id}`
    expect((await asMe('PATCH', url, { content: 'y' })).status).toBe(200)
    expect((await asMe('PUT', `/rooms/${roomId}/read`, { seq: 1 })).status).toBe(200)
    expect((await asMe('DELETE', `${url}?for=me`)).status).toBe(200)
    expect((await asMe('DELETE', url)).status).toBe(200)
    const writes = commands.filter(({ name }) => ['insert', 'update', 'createIndexes'].includes(name))
    expect(new Set(writes.map(({ name }) => name))).toEqual(new Set(['insert', 'update', 'createIndexes']))
    for (const { name, writeConcern } of writes) {
      expect(writeConcern, name).toMatchObject({ w: 'majority', j: true })
    }
  })
})

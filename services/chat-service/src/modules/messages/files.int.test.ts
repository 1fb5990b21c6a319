import { documentProcessed, type Message, messageSent } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestRooms, type TestRooms } from '../../../testing/rooms.ts'

let rooms: TestRooms

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())

describe('a message with a file', () => {
  it("a message with a file shows media-service's metadata to every member and in its event", async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const file = rooms.media.file()
    const body = { content: '', message_type: 'image', file_id: file.file_id, client_message_id: 'with-file' }
    const sent = await rooms.as(a, 'POST', `/messages/${roomId}`, body)
    expect(sent).toMatchObject({ status: 201, body: { message_type: 'image', file, attachment: null } })
    const again = await rooms.as(a, 'POST', `/messages/${roomId}`, body)
    expect(again.body.message_id).toBe(sent.body.message_id)
    expect((await rooms.as(b, 'GET', `/messages/${roomId}`)).body.items[0].file).toEqual(file)
    const event = await rooms.chat.eventOf(messageSent, ({ room_id }) => room_id === roomId)
    expect(event.file_id).toBe(file.file_id)
  })

  it('a text message allows no file, and every other type requires one', async () => {
    const [a] = await rooms.chat.people(1)
    const roomId = await rooms.room(a)
    for (const type of ['image', 'file', 'voice', 'video']) {
      const { file_id } = rooms.media.file()
      const send = (body: object) => rooms.as(a, 'POST', `/messages/${roomId}`, body)
      expect((await send({ content: '', message_type: type })).body.errors[0].field).toBe('file_id')
      expect((await send({ content: '', message_type: type, file_id })).status).toBe(201)
      expect((await send({ content: 'x', file_id })).body.errors[0].field).toBe('file_id')
    }
  })

  it.each(['FILE_NOT_FOUND', 'FILE_NOT_READY', 'FILE_KIND_MISMATCH'] as const)(
    'a message with a file is not stored when media-service returns %s, which the sender receives',
    async (code) => {
      const [a] = await rooms.chat.people(1)
      const roomId = await rooms.room(a)
      const body = { content: '', message_type: 'image', file_id: rooms.media.refusing(code) }
      const answer = await rooms.as(a, 'POST', `/messages/${roomId}`, body)
      expect(answer.body).toMatchObject({ code, detail: `detail of ${code}` })
      expect((await rooms.as(a, 'GET', `/messages/${roomId}`)).body.items).toEqual([])
    },
  )

  it('a message with a file gets 503 during an outage of media-service, while text messages work', async () => {
    const other = await rooms.chat.another({ MEDIA_SERVICE_URL: 'http://127.0.0.1:9' })
    const [a] = await rooms.chat.people(1)
    const roomId = await rooms.room(a)
    const send = (body: object) => rooms.chat.as(a, 'POST', `/messages/${roomId}`, body, other)
    const refused = await send({ content: '', message_type: 'image', file_id: rooms.media.file().file_id })
    expect(refused.status).toBe(503)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await send({ content: 'text' })).status).toBe(201)
  })

  it('a deleted message leaves nothing of its file', async () => {
    const [a] = await rooms.chat.people(1)
    const roomId = await rooms.room(a)
    const { file_id } = rooms.media.file()
    const { body } = await rooms.as(a, 'POST', `/messages/${roomId}`, {
      content: '',
      message_type: 'file',
      file_id,
    })
    const { message_id } = body as Message
    await rooms.as(a, 'DELETE', `/messages/${roomId}/${message_id}`)
    expect((await rooms.as(a, 'GET', `/messages/${roomId}/${message_id}`)).body).toMatchObject({
      is_deleted: true,
      file: null,
    })
  })
})

describe('the report on a document', () => {
  it('the report on a document is posted once by its requester as a reply to the document, and not after the requester has left', async () => {
    const [asker, other] = await rooms.chat.people(2)
    const roomId = await rooms.room(other, asker)
    const { message_id } = await rooms.send(other, roomId, 'the document')
    const reportFor = (userId: number) => ({
      user_id: userId,
      document_id: crypto.randomUUID(),
      type: 'pdf' as const,
      pages: 2,
      report: {
        room_id: roomId,
        message_id,
        file_id: crypto.randomUUID(),
        name: '계약 분석 보고서.pdf',
        size: 48_213,
        summary: ['첫째 문장입니다.', '둘째 문장입니다.'],
      },
    })
    const [stranger] = await rooms.chat.people(1)
    await rooms.chat.publish(documentProcessed, reportFor(stranger!))
    const report = reportFor(asker!)
    await rooms.chat.publish(documentProcessed, report)
    await rooms.chat.publish(documentProcessed, report)
    const last = reportFor(other!)
    await rooms.chat.publish(documentProcessed, last)
    const items = async (): Promise<Message[]> =>
      (await rooms.as(other, 'GET', `/messages/${roomId}`)).body.items
    const posted = async () => (await items()).filter(({ file }) => file !== null)
    await waitFor(async () => (await posted()).length >= 2)
    expect((await posted()).map(({ user_id }) => user_id).sort()).toEqual([asker, other].sort())
    expect((await posted()).find(({ user_id }) => user_id === asker)).toMatchObject({
      message_type: 'file',
      content: '첫째 문장입니다.\n둘째 문장입니다.',
      reply_to: message_id,
      file: { file_id: report.report.file_id, name: '계약 분석 보고서.pdf', mime: 'application/pdf' },
    })
  })
})

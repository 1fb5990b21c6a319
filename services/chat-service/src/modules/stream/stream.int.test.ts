import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestChat, type TestChat } from '../../testing.ts'
import { openTestStream } from './testing.ts'

let chat: TestChat
let addresses: string[]
const address = (index = 0) => addresses[index]!

beforeAll(async () => {
  chat = await startTestChat({ SENDS_PER_10_SECONDS: 100_000 })
  await chat.another()
  for (const service of chat.services) {
    await waitFor(async () => (await service.app.inject('/ready')).statusCode === 200)
  }
  addresses = chat.services.map(({ app }) => app.listeningOrigin)
}, 60_000)
afterAll(() => chat?.close())

async function room(...members: number[]): Promise<number> {
  const [owner, ...others] = members as [number, ...number[]]
  await chat.befriend(owner, ...others)
  const { status, body } = await chat.as(owner, 'POST', '/rooms', { name: 'test', member_ids: others })
  expect(status).toBe(201)
  return body.room_id
}

const send = async (userId: number, roomId: number, content: string, index = 0) => {
  const answer = await chat.as(userId, 'POST', `/messages/${roomId}`, { content }, chat.services[index])
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 })
  return answer.body
}

it('shows a message to the other person, also from another process', async () => {
  const [a, b] = await chat.people(2)
  const roomId = await room(a, b)
  const stream = await openTestStream(address(0), { token: await chat.token(b) })
  const reset = await stream.waitFor('reset')
  expect(reset).toMatchObject({ reason: 'new', rooms: [{ room_id: roomId, seq: 0, cseq: 0 }] })
  const sent = await send(a, roomId, '안녕', 1)
  const frame = await stream.waitFor('message')
  expect(frame).toEqual({ room_id: roomId, seq: 1, message: { ...sent } })
  stream.kill()
})

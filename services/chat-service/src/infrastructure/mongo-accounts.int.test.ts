import { type MongoWithAccounts, startMongoWithAccounts, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestChat, type TestChat } from '../../testing/chat.ts'

let chat: TestChat
let server: MongoWithAccounts | undefined

beforeAll(async () => {
  ;[chat, server] = await Promise.all([startTestChat(), startMongoWithAccounts()])
}, 60_000)
afterAll(async () => {
  await chat?.close()
  await server?.stop()
})

/**
 * Sends a message through another process, which signs in to MongoDB with this password; null: without an account.
 * Resolves to the statuses of the message and of /ready.
 */
async function sendBy(password: string | null, { host, account }: MongoWithAccounts): Promise<number[]> {
  const url = new URL(chat.config.MONGO_URL)
  url.host = host
  if (password !== null) [url.username, url.password] = [account, password]
  const [person] = await chat.people(1)
  const { body } = await chat.as(person, 'POST', '/rooms', { name: 'room', member_ids: [] })
  const other = await chat.another({ MONGO_URL: url.toString() })
  const message = { content: 'hello', client_message_id: crypto.randomUUID() }
  const send = async () => (await chat.as(person, 'POST', `/messages/${body.room_id}`, message, other)).status
  const ready = async () => (await other.app.inject('/ready')).statusCode
  // A new process connects in the background.
  if (password === server?.password) await waitFor(async () => (await ready()) === 200, { timeoutMs: 20_000 })
  return [await send(), await ready()]
}

it('chat-service stores messages at a MongoDB that requires an account, and with a wrong password or without the account is not ready', async (context) => {
  if (!server) return context.skip('The running servers have no MongoDB with accounts: start them again.')
  const { password } = server
  const statuses = await Promise.all(
    [password, 'wrong', null].map((each) => sendBy(each, server as MongoWithAccounts)),
  )
  expect(statuses).toEqual([
    [201, 200],
    [503, 503],
    [503, 503],
  ])
})

#!/usr/bin/env node
import { createInterface } from 'node:readline/promises'
import { createChatClient, type Message, Outbox } from '@bigtech/client'

const usage =
  'bigtech-chat EMAIL   (API_URL, by default http://localhost:8000/api)\n/ROOM_ID changes the room.'
const [email] = process.argv.slice(2)
if (email === '--help') {
  console.log(usage)
  process.exit()
}
if (!email || email.startsWith('-')) {
  console.error(`${email ? `Unknown option ${email}.` : 'An address is needed.'}\n${usage}`)
  process.exit(2)
}

const terminal = createInterface({ input: process.stdin, output: process.stdout })
const { api, session, stream } = createChatClient({
  baseUrl: process.env.API_URL ?? 'http://localhost:8000/api',
})
const password = process.env.PASSWORD ?? (await terminal.question('Password: '))
const { userId } = await session.login(email, password).catch((err: Error) => fail(err.message))

const { items: rooms } = await api.listRooms()
for (const { room_id, title, unread_count } of rooms)
  console.log(`/${room_id}  ${title}  (${unread_count} unread)`)
let roomId = rooms[0]?.room_id
if (roomId === undefined) fail('You are in no room yet.')

function fail(reason: string): never {
  console.error(reason)
  process.exit(1)
}

const show = ({ username, content, message_type }: Message) =>
  console.log(`${username}: ${message_type === 'text' ? content : `[${message_type}] ${content}`}`)
const { items } = await api.listMessages({ params: { room_id: roomId }, query: { limit: 20 } })
items.forEach(show)

const outbox = new Outbox({ session, onRefused: (_message, { message }) => console.error(`! ${message}`) })
const events = stream({
  onFrame: (frame) => {
    if (frame.event !== 'message' || frame.data.room_id !== roomId) return
    if (frame.data.message.user_id !== userId) show(frame.data.message)
  },
  onState: (state) => state === 'waiting' && console.log('(reconnecting)'),
})
events.start()
for await (const line of terminal) {
  if (line.startsWith('/')) roomId = Number(line.slice(1))
  else if (line.trim() !== '') await outbox.send(roomId, { content: line })
}
events.close()

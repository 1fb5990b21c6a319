import { join } from 'node:path'
import { findProgram } from '@bigtech/devstack'
import { waitFor } from '@bigtech/testkit'
import { environmentOf } from '../../packages/cli/src/services.ts'
import { healed } from '../e2e/control.ts'
import { dump, restore, withDatabase } from './mongodb-copy.ts'
import { befriend, http, newPerson, type Person, stack } from './people.ts'
import {
  bigtech,
  caughtUp,
  expect,
  expectVerified,
  groupRoom,
  inCheckout,
  run,
  send,
  start,
  stop,
} from './steps.ts'

const services = ['chat-service'] as const

/** Runs the operators' script, or our copy of what it does where MongoDB's tools are not installed. */
async function backup(command: 'backup' | 'restore', url: string, file: string): Promise<void> {
  if (findProgram('mongodump') && findProgram('mongorestore'))
    return run(inCheckout('infrastructure/docker/backup/mongodb.sh'), [command, file], { MONGO_URL: url })
  console.log('mongodump is not installed: documents are copied without it')
  await (command === 'backup' ? dump(url, file) : restore(url, file))
}

async function history(reader: Person, room: number): Promise<{ seq: number; content: string }[]> {
  const url = `${stack.gateway}/api/messages/${room}?limit=100`
  const { status, body, text } = await http('GET', url, { token: reader.token })
  if (status !== 200) throw new Error(`history: ${status} ${text}`)
  return body.items
}

async function readAll(reader: Person, room: number): Promise<void> {
  const seq = Math.max(...(await history(reader, room)).map((message) => message.seq))
  const url = `${stack.gateway}/api/rooms/${room}/read`
  const { status, text } = await http('PUT', url, { token: reader.token, json: { seq } })
  if (status >= 300) throw new Error(`read: ${status} ${text}`)
}

async function unreadOf(reader: Person, room: number): Promise<number> {
  const { body } = await http('GET', `${stack.gateway}/api/rooms?limit=100`, { token: reader.token })
  return body.items.find(({ room_id }: { room_id: number }) => room_id === room)?.unread_count
}

const found = async (reader: Person, word: string): Promise<number> => {
  const url = `${stack.gateway}/api/messages/search?q=${word}`
  return (await http('GET', url, { token: reader.token })).body.items.length
}

/** Loses the messages while MySQL, Kafka and Redis keep newer data, and restores a backup. */
export async function mongodbDrill(folder: string): Promise<void> {
  const url = (await environmentOf('chat-service')).MONGO_URL as string
  const file = join(folder, 'backup.archive.gz')
  const word = `w${Date.now().toString(36)}`
  const [ann, bob] = [await newPerson('ann'), await newPerson('bob')]
  await befriend(ann, bob)
  const room = await groupRoom(ann, [bob])
  await send(ann, room, `${word}kept`)
  await readAll(bob, room)
  await caughtUp()
  await backup('backup', url, file)

  // Lost with the messages, but still known to MySQL, Kafka, Redis and the other services.
  for (const text of ['one', 'two', 'three']) await send(ann, room, `${word}lost ${text}`)
  await readAll(bob, room)
  const emptied = await groupRoom(ann, [bob])
  await send(ann, emptied, `${word}lost with its room`)
  await caughtUp()

  await stop(services)
  await withDatabase(url, (db) => db.dropDatabase())
  await backup('restore', url, file)
  bigtech('verify', '--service', 'chat-service', '--fix')
  await run(process.execPath, [inCheckout('services/chat-service/src/rebuild-search.ts')], { MONGO_URL: url })
  await start(services)
  await healed(120_000)
  await caughtUp()
  expectVerified('after the restore')

  const kept = await history(bob, room)
  expect(
    kept.some(({ content }) => content === `${word}kept`),
    'messages from before the backup are back',
  )
  expect(!kept.some(({ content }) => content.includes('lost')), 'messages from after the backup are gone')
  const head = Math.max(...kept.map(({ seq }) => seq))
  const sent = await send(ann, room, `${word}after`)
  expect(sent.body.seq === head + 1, `the room goes on at ${head + 1} without a gap (${sent.body.seq})`)
  expect(
    (await unreadOf(bob, room)) === 1,
    'the next message is unread for the member who had read the lost ones',
  )
  expect(
    (await send(ann, emptied, `${word}after`)).status === 201,
    'a room that lost all messages takes new ones',
  )
  await waitFor(async () => (await found(bob, `${word}after`)) === 2, { timeoutMs: 30_000, what: 'search' })
  expect((await found(bob, `${word}kept`)) === 1, 'the search finds a message from before the backup')
  expect((await found(bob, `${word}lost`)) === 0, 'the search finds no lost message')
  await caughtUp()
  expectVerified('after new traffic')
}

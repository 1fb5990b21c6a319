import { fileURLToPath } from 'node:url'
import { messageSent } from '@bigtech/contracts'
import type { EventContext } from '@bigtech/kafka'
import { createTestMysql, type TestMysql } from '@bigtech/testkit'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { scenesOf } from '../../../testing/scenes.ts'
import { createMysql, type Mysql } from '../../infrastructure/mysql.ts'
import { ContactsRepository } from '../contacts/contacts.repository.ts'
import { PreferencesRepository } from '../preferences/preferences.repository.ts'
import { deliveriesConsumers } from './deliveries.consumers.ts'
import { DeliveriesRepository } from './deliveries.repository.ts'
import { MessagePlanner } from './message-planner.ts'
import { type MessageSent, WaitingMessagesRepository } from './waiting-messages.repository.ts'

const now = Date.parse('2026-05-04T12:00:00.000Z')
const DIGEST_MS = 2_000
const [GROUP, DIRECT, UNKNOWN] = [1, 2, 3]
const [ann, ben, reader, muting, disabled, connected, restricter, erased] = [11, 12, 13, 14, 15, 16, 17, 18]

let db: TestMysql
let mysql: Mysql

beforeAll(async () => {
  db = await createTestMysql({
    migrationsDir: fileURLToPath(new URL('../../../migrations', import.meta.url)),
  })
  mysql = createMysql(db.url, new Registry())
  await db.query("INSERT INTO rooms (room_id, room_type) VALUES (?, 'group'), (?, 'direct')", [GROUP, DIRECT])
  for (const userId of [ann, ben, reader, muting, disabled, connected, erased])
    await db.query('INSERT INTO room_members (room_id, user_id, muted) VALUES (?, ?, ?)', [
      GROUP,
      userId,
      userId === muting ? 1 : 0,
    ])
  for (const userId of [ann, restricter])
    await db.query('INSERT INTO room_members (room_id, user_id) VALUES (?, ?)', [DIRECT, userId])
  await db.query('INSERT INTO restrictions (restricter_id, restricted_id) VALUES (?, ?)', [restricter, ann])
  await db.query('INSERT INTO preferences VALUES (?, 0, 1, 1, 1, NULL, NULL, NULL)', [disabled])
  await db.query('INSERT INTO open_streams VALUES (?, ?, ?, ?)', [
    connected,
    'chat-1',
    new Date(now),
    new Date(0),
  ])
  const erasedContact =
    "INSERT INTO contacts (user_id, username, display_name, deleted_at) VALUES (?, '', '', ?)"
  await db.query(erasedContact, [erased, new Date(0)])
})
afterAll(async () => {
  await mysql?.close()
  await db?.drop()
})
beforeEach(async () => {
  for (const table of ['deliveries', 'waiting_messages', 'inbox']) await db.query(`DELETE FROM ${table}`)
})

const { message } = scenesOf(() => expect.fail('no service runs in these tests'))
const sent = (roomId: number, from: number, more: object = {}): MessageSent => {
  const payload = message(roomId, from, `from ${from}`, more)
  return messageSent.create(payload, { correlationId: 'r' }) as MessageSent
}

function subscription(onPlanned: (dueInMs: number) => void = () => {}) {
  const contacts = new ContactsRepository(mysql)
  const deliveries = new DeliveriesRepository(mysql)
  const waiting = new WaitingMessagesRepository(mysql)
  const preferences = new PreferencesRepository(mysql)
  const shared = { mysql, deliveries, waiting, digestMs: DIGEST_MS, now: () => now }
  const planner = new MessagePlanner({ ...shared, contacts, preferences, onPlanned: () => {} })
  const subscriptions = deliveriesConsumers({ ...shared, planner, onPlanned })
  return subscriptions.find(({ definition }) => definition.type === messageSent.type)!
}
const together = (events: readonly MessageSent[]) => subscription().handleMany!(events)
const oneByOne = async (events: readonly MessageSent[]) => {
  for (const event of events) await subscription().handle(event, {} as EventContext)
}

const planned = () =>
  db.query<Record<string, unknown>>(
    `SELECT user_id, room_id, event_count, message_id, actor_id, mentioned, content, due_at
     FROM deliveries ORDER BY room_id, user_id`,
  )

it('messages that arrive together are planned as if each had arrived alone', async () => {
  const events = [
    sent(GROUP, ann),
    sent(GROUP, ben, { mentions: [muting, reader] }),
    sent(DIRECT, ann, { mentions: [restricter] }),
    sent(GROUP, ann, { message_type: 'system' }),
    sent(GROUP, erased),
    sent(UNKNOWN, ann),
    sent(GROUP, ann),
    sent(DIRECT, restricter),
  ]
  const [, second, , , , , last, direct] = events
  expect(await together(events)).toEqual(events.map(() => 'applied'))
  const rows = await planned()
  const row = (userId: number, eventCount: number, newest: MessageSent, mentioned = 0) => ({
    user_id: userId,
    room_id: newest.room_id,
    event_count: eventCount,
    message_id: newest.message_id,
    actor_id: newest.user_id,
    mentioned,
    content: JSON.stringify({ from: newest.username, text: newest.content, type: 'text' }),
    due_at: new Date(now + DIGEST_MS),
  })
  expect(rows).toEqual([
    row(ann, 1, second!),
    row(ben, 2, last!),
    row(reader, 3, last!, 1),
    row(muting, 1, second!, 1),
    // An account is erased from its rooms by another event.
    row(erased, 3, last!),
    row(ann, 1, direct!),
  ])
  expect(await db.query('SELECT room_id FROM waiting_messages')).toEqual([{ room_id: UNKNOWN }])

  expect(await together(events)).toEqual(events.map(() => 'duplicate'))
  expect(await planned()).toEqual(rows)

  await db.query('DELETE FROM deliveries')
  await db.query('DELETE FROM inbox')
  await oneByOne(events)
  expect(await planned()).toEqual(rows)
})

it('messages that arrive together are added to a waiting push, all or none', async () => {
  const first = sent(DIRECT, restricter)
  await oneByOne([first])
  const more = [sent(DIRECT, restricter), sent(DIRECT, restricter)]
  await expect(together([first, ...more])).rejects.toThrow('2 of 3 events are new')
  expect(await planned()).toMatchObject([{ event_count: 1, message_id: first.message_id }])
  await together(more)
  expect(await planned()).toMatchObject([{ event_count: 3, message_id: more[1]!.message_id }])
})

it('the sender is woken when planned messages are due', async () => {
  const woken: number[] = []
  await subscription((dueInMs) => woken.push(dueInMs)).handleMany!([sent(DIRECT, restricter)])
  expect(woken).toEqual([DIGEST_MS])
})

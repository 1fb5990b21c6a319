import { fileURLToPath } from 'node:url'
import {
  exportNotificationData,
  friendRequestCancelled,
  friendRequestSent,
  notificationDataErased,
  userDeleted,
  uuidv7,
} from '@bigtech/contracts'
import { collectEvents, describeConformance, describeMigrations, waitFor } from '@bigtech/testkit'
import { describe, expect, it } from 'vitest'
import { migrationsDir, newIds } from '../../../testing/harness.ts'
import { headerOf } from '../../../testing/mail-catcher.ts'
import { everythingOn, finished, scenesOf } from '../../../testing/scenes.ts'
import { useHarness } from '../../../testing/use-harness.ts'

const harness = useHarness()
const { register, mailsTo, knownRoom, say, subscribe, pushesTo } = scenesOf(harness)

/** 0 to 99. */
const hundred = Array.from({ length: 100 }, (_, n) => `SELECT ${n} AS n`).join(' UNION ALL ')

/** Resolves when the user's first attempt has failed and the next one is planned. */
const putOff = (userId: number) =>
  waitFor(async () => {
    const rows = await harness().mysql.query(
      'SELECT 1 FROM deliveries WHERE user_id = ? AND attempts = 1 AND lease_id IS NULL',
      [userId],
    )
    return rows.length === 1
  })

describe('welcome mail', () => {
  it("welcome mail is sent once in the new user's language, with a Message-ID derived from the event", async () => {
    const [mina, john] = newIds(2) as [number, number]
    const eventId = uuidv7()
    await register(mina, 'ko-KR', eventId)
    await register(mina, 'ko-KR', eventId)
    await register(john, 'fr-FR')
    const [mail] = await waitFor(() => mailsTo(mina).length > 0 && mailsTo(mina))
    expect(headerOf(mail!, 'Subject')).toBe('BigTech Chat에 오신 것을 환영합니다')
    expect(headerOf(mail!, 'Message-ID')).toBe(`<${eventId}@bigtech.example>`)
    await waitFor(() => mailsTo(john).length > 0)
    expect(headerOf(mailsTo(john)[0]!, 'Subject')).toBe('Welcome to BigTech Chat')
    // The address is unverified and may belong to a stranger: no name in either encoding of the mail.
    expect(mailsTo(john)[0]!.raw).toContain('\r\nHello,\r\n')
    expect(mailsTo(john)[0]!.raw).not.toMatch(/=EC=82=AC|7IKs/)
    await harness().deliveriesOf(
      mina,
      (items) => items.length === 1 && items[0]!.state === 'sent' && items[0]!.kind === 'welcome',
    )
    expect(mailsTo(mina)).toHaveLength(1)
  })

  it('welcome mail is retried while the mail server is busy, and fails when it is rejected permanently', async () => {
    const [busy] = newIds(1) as [number]
    harness().mail.failWith = { code: 451, times: 1 }
    await register(busy)
    await putOff(busy)
    harness().clockOffset = 10_000
    await waitFor(() => mailsTo(busy).length === 1)
    const [refused] = newIds(1) as [number]
    harness().mail.failWith = { code: 550, times: 1 }
    await register(refused)
    await harness().deliveriesOf(refused, ([mail]) => mail?.state === 'failed')
    expect(mailsTo(refused)).toHaveLength(0)
  })

  it('welcome mail is retried when the server rejects the sender rather than the mail', async () => {
    const [early] = newIds(1) as [number]
    harness().mail.failWith = { code: 535, times: 1, at: 'sender' }
    await register(early)
    await putOff(early)
    harness().clockOffset = 10_000
    await waitFor(() => mailsTo(early).length === 1)
  })

  it('welcome mail is duplicated at most once, recognizably, after a crash between sending and marking', async () => {
    const [mina] = newIds(1) as [number]
    await register(mina)
    const [first] = await waitFor(() => mailsTo(mina).length > 0 && mailsTo(mina))
    await harness().deliveriesOf(mina, finished)
    // The state left by such a crash: claimed, sent, not marked.
    await harness().mysql.query(
      "UPDATE deliveries SET state = 'pending', lease_id = ?, finished_at = NULL, due_at = UTC_TIMESTAMP(3) + INTERVAL 60 SECOND WHERE user_id = ?",
      [uuidv7(), mina],
    )
    await harness().service.sender.sendDue()
    expect(mailsTo(mina)).toHaveLength(1)
    harness().clockOffset = 61_000
    await harness().deliveriesOf(mina, finished)
    const mails = mailsTo(mina)
    expect(mails).toHaveLength(2)
    expect(headerOf(mails[1]!, 'Message-ID')).toBe(headerOf(first!, 'Message-ID'))
  })
})

describe('push for friend requests', () => {
  it('a push for a friend request notifies the receiver once a day for any number of requests and cancellations', async () => {
    const [mina, joon] = newIds(2) as [number, number]
    const ask = { request_id: 1, from_user_id: mina, to_user_id: joon }
    await harness().publish(friendRequestSent, ask)
    await harness().deliveriesOf(joon, ([push]) => push?.state === 'no_subscription')
    await harness().publish(friendRequestCancelled, { ...ask, reason: 'cancelled' })
    const eventId = uuidv7()
    await harness().publish(friendRequestSent, { ...ask, request_id: 2 }, { eventId })
    await harness().applied(eventId)
    const items = await harness().deliveriesOf(joon, finished)
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({ kind: 'friend_request', from_user_id: mina })
  })
})

describe('push notifications for friend requests of different users', () => {
  it('pushes for friend requests of different users do not replace each other while the device is offline', async () => {
    const [mina, joon, reader] = newIds(3) as [number, number, number]
    await subscribe(reader, `/friends-${reader}`)
    for (const from_user_id of [mina, joon]) {
      await harness().publish(friendRequestSent, { request_id: 1, from_user_id, to_user_id: reader })
    }
    await waitFor(() => pushesTo(`/friends-${reader}`).length === 2)
    expect(new Set(pushesTo(`/friends-${reader}`).map(({ headers }) => headers.topic)).size).toBe(2)
  })
})

describe('the export', () => {
  it('the export contains all data of the user for any number of deliveries, and none of others', async () => {
    const [mina, joon] = newIds(2) as [number, number]
    await register(mina, 'ko')
    await register(joon, 'ko')
    await subscribe(mina, `/export-${mina}`)
    await harness().deliveriesOf(mina, finished)
    await harness().mysql.query(
      `INSERT INTO deliveries (id, user_id, kind, channel, state, event_id, due_at, created_at)
       SELECT CONCAT('01970000-0000-7000-8000-', LPAD(seq, 12, '0')), ?, 'message', 'push', 'sent', UUID(), NOW(), NOW()
       FROM (SELECT a.n + 100 * b.n AS seq FROM (${hundred}) a JOIN (${hundred}) b) s WHERE seq < 1100`,
      [mina],
    )
    const { status, body } = await harness().call(mina, 'GET', '/notifications/export')
    expect(status).toBe(200)
    expect(exportNotificationData.success.schema.parse(body)).toEqual(body)
    expect(body).toMatchObject({
      user_id: mina,
      email: `user${mina}@example.com`,
      locale: 'ko',
      preferences: everythingOn,
      subscriptions: [{ push_service: expect.any(String) }],
    })
    const ids = (body.deliveries as { delivery_id: string }[]).map(({ delivery_id }) => delivery_id)
    expect(new Set(ids).size).toBe(1_101)
    expect(JSON.stringify(body)).not.toContain(`user${joon}`)
  })
})

describe('a deleted account', () => {
  it('a deleted account leaves nothing behind in its own rows and in those of others', async () => {
    const [roomId, mina, reader] = newIds(3) as [number, number, number]
    await register(mina)
    await knownRoom(roomId, [mina, reader])
    await subscribe(mina, `/deleted-${mina}`)
    await harness().call(mina, 'PUT', '/notifications/preferences', everythingOn)
    await say(roomId, mina, 'my last words')
    await harness().deliveriesOf(mina, finished)
    const eventId = uuidv7()
    const deletion = { user_id: mina, deletion_id: crypto.randomUUID(), message_policy: 'remove' as const }
    const { brokers, topicPrefix } = harness().kafka
    const confirmations = await collectEvents({ brokers, topicPrefix, topics: ['notification.events'] })
    await harness().publish(userDeleted, deletion, { eventId })
    await harness().applied(eventId)
    await confirmations.waitFor(
      notificationDataErased,
      ({ deletion_id }) => deletion_id === deletion.deletion_id,
    )
    await confirmations.stop()
    // The message topic has no common order with the accounts: late messages are not stored.
    await say(roomId, mina, 'words that come late')
    await say(roomId, reader, 'seen')
    for (const table of ['deliveries', 'preferences', 'push_subscriptions', 'room_members', 'open_streams']) {
      const rows = await harness().mysql.query(`SELECT 1 FROM ${table} WHERE user_id = ?`, [mina])
      expect(rows, table).toEqual([])
    }
    const contact = await harness().mysql.query(
      'SELECT email, username, locale FROM contacts WHERE user_id = ?',
      [mina],
    )
    expect(contact).toEqual([{ email: null, username: '', locale: null }])
    expect(await harness().mysql.query('SELECT 1 FROM deliveries WHERE actor_id = ?', [mina])).toEqual([])
    const tables = await harness().mysql.query<{ name: string }>(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()',
    )
    for (const { name } of tables) {
      const rows = JSON.stringify(await harness().mysql.query(`SELECT * FROM \`${name}\``))
      expect(rows, name).not.toMatch(new RegExp(`user${mina}\\b|사람 ${mina}|last words|come late`))
    }
  })
})

describe('a claim', () => {
  it('a claim reserves a delivery until its lease expires', async () => {
    const [mina] = newIds(1) as [number]
    const due = Date.parse('2099-01-01T00:00:00Z')
    await harness().mysql.query(
      `INSERT INTO deliveries (id, user_id, kind, channel, state, event_id, due_at, created_at)
       VALUES (?, ?, 'friend_request', 'push', 'pending', ?, '2099-01-01', '2026-01-01')`,
      [uuidv7(), mina, uuidv7()],
    )
    const claimAt = async (now: number) => {
      const { deliveries } = await harness().service.deliveries.claim('push', 100, now)
      return deliveries.filter(({ userId }) => userId === mina).length
    }
    expect(await claimAt(due - 1)).toBe(0)
    const both = await Promise.all([claimAt(due + 1), claimAt(due + 1)])
    expect(both.sort()).toEqual([0, 1])
    expect(await claimAt(due + 59_000)).toBe(0)
    expect(await claimAt(due + 61_000)).toBe(1)
    await harness().mysql.query('DELETE FROM deliveries WHERE user_id = ?', [mina])
  })
})

describe('the purge', () => {
  it('the purge deletes every delivery older than 30 days, however many', async () => {
    const [reader] = newIds(1) as [number]
    await harness().mysql.query(
      `INSERT INTO deliveries (id, user_id, kind, channel, state, event_id, due_at, created_at)
       SELECT CONCAT('01900000-0000-7000-8000-', LPAD(seq, 12, '0')), ?, 'message', 'push', 'sent', UUID(), NOW(), NOW()
       FROM (SELECT a.n + 100 * b.n AS seq FROM (${hundred}) a JOIN (${hundred}) b) s WHERE seq < 2500`,
      [reader],
    )
    await harness().service.deliveries.purge()
    expect(await harness().mysql.query('SELECT id FROM deliveries WHERE user_id = ?', [reader])).toEqual([])
  })
})

describe('the delivery log', () => {
  it('the delivery log is read, claimed and paged by index', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    for (let count = 0; count < 3; count++) {
      await say(roomId, author, 'hello')
      await harness().deliveriesOf(reader, (items) => items.length === count + 1 && finished(items))
    }
    const first = await harness().call(reader, 'GET', '/notifications/deliveries?limit=2')
    const rest = await harness().call(
      reader,
      'GET',
      `/notifications/deliveries?limit=2&cursor=${first.body.next_cursor}`,
    )
    const ids = [...first.body.items!, ...rest.body.items!].map((item) => item.delivery_id)
    expect(new Set(ids).size).toBe(3)
    expect(rest.body.next_cursor).toBeNull()
    const plan = await harness().mysql.query(
      "EXPLAIN SELECT * FROM deliveries WHERE state = 'pending' AND channel = 'push' AND due_at <= NOW() ORDER BY due_at LIMIT 8",
    )
    expect(plan[0]).toMatchObject({ key: 'deliveries_due' })
  })
})

describeConformance({ title: 'Notification Service', service: () => harness().service })

describeMigrations({
  migrationsDir,
  schemaPath: fileURLToPath(new URL('../../../prisma/schema.prisma', import.meta.url)),
})

import { fileURLToPath } from 'node:url'
import {
  friendRequestCancelled,
  friendRequestSent,
  messageDeleted,
  messageSent,
  roomCreated,
  roomMembersChanged,
  roomMuteChanged,
  streamPresenceChanged,
  streamsAlive,
  userDeleted,
  userRegistered,
  userSessionRevoked,
  uuidv7,
} from '@bigtech/contracts'
import { describeConformance, describeMigrations, waitFor } from '@bigtech/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Harness, migrationsDir, newIds, startHarness } from '../../testing/harness.ts'
import { headerOf } from '../../testing/mail-catcher.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
})
afterAll(() => harness.stop())
afterEach(() => {
  harness.clockOffset = 0
  harness.mail.failWith = { code: 0, times: 0 }
})

const register = (userId: number, locale?: string, eventId: string = uuidv7()) =>
  harness.publish(
    userRegistered,
    {
      user_id: userId,
      email: `user${userId}@example.com`,
      username: `user${userId}`,
      display_name: `사람 ${userId}`,
      ...(locale ? { locale } : {}),
    },
    { eventId },
  )
const mailsTo = (userId: number) => harness.mail.mails.filter(({ to }) => to === `user${userId}@example.com`)

let seq = 0
const message = (roomId: number, from: number, content: string, more: object = {}) => {
  seq++
  return {
    message_id: `${roomId}:${String(seq).padStart(12, '0')}`,
    room_id: roomId,
    seq,
    user_id: from,
    username: `user${from}`,
    content,
    message_type: 'text' as const,
    created_at: new Date().toISOString(),
    reply_to: null,
    ...more,
  }
}
const room = (roomId: number, members: number[], more: object = {}) =>
  harness.publish(roomCreated, {
    room_id: roomId,
    room_type: 'group',
    name: '점심',
    created_by: members[0]!,
    member_ids: members,
    ...more,
  })

type Item = Record<string, unknown>
const finished = (items: readonly Item[]) =>
  items.length > 0 && items.every(({ state }) => state !== 'pending')
/** A room whose members are known. */
async function knownRoom(roomId: number, members: number[]): Promise<void> {
  await room(roomId, members)
  await waitFor(async () => {
    const rows = await harness.mysql.query('SELECT 1 FROM room_members WHERE room_id = ?', [roomId])
    return rows.length === members.length
  })
}
async function say(roomId: number, from: number, text: string, more: object = {}): Promise<string> {
  const eventId = uuidv7()
  await harness.publish(messageSent, message(roomId, from, text, more), { eventId })
  await harness.applied(eventId)
  return eventId
}
const subscribe = async (userId: number, path: string, sessionId?: string) => {
  const body = harness.push.subscription(path)
  const answer = await harness.call(userId, 'PUT', '/notifications/subscriptions', body, sessionId)
  expect(answer.status).toBe(200)
  return String(answer.body.subscription_id)
}
const pushesTo = (path: string) => harness.push.pushes.filter((push) => push.path === path)
const preferences = {
  message_push: true,
  friend_request_push: true,
  mentions_when_muted: true,
  show_preview: true,
  quiet_hours: null,
}

describe('welcome mail', () => {
  it('is sent once, in the language of the new user, with a Message-ID that comes from the event', async () => {
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
    await harness.deliveriesOf(
      mina,
      (items) => items.length === 1 && items[0]!.state === 'sent' && items[0]!.kind === 'welcome',
    )
    expect(mailsTo(mina)).toHaveLength(1)
  })

  it('comes later when the mail server is busy, and is given up when it refuses for good', async () => {
    const [busy] = newIds(1) as [number]
    harness.mail.failWith = { code: 451, times: 1 }
    await register(busy)
    await waitFor(() => harness.mail.failWith.times < 0 || harness.mail.failWith.times === 0)
    await harness.deliveriesOf(busy, ([mail]) => mail?.state === 'pending')
    harness.clockOffset = 10_000
    await waitFor(() => mailsTo(busy).length === 1)
    const [refused] = newIds(1) as [number]
    harness.mail.failWith = { code: 550, times: 1 }
    await register(refused)
    await harness.deliveriesOf(refused, ([mail]) => mail?.state === 'failed')
    expect(mailsTo(refused)).toHaveLength(0)
  })

  it('after a crash between sending and marking is repeated at most once, recognisably', async () => {
    const [mina] = newIds(1) as [number]
    await register(mina)
    const [first] = await waitFor(() => mailsTo(mina).length > 0 && mailsTo(mina))
    await harness.deliveriesOf(mina, finished)
    // As the crash would have left it: claimed, sent, not marked.
    await harness.mysql.query(
      "UPDATE deliveries SET state = 'pending', lease_id = ?, finished_at = NULL, due_at = UTC_TIMESTAMP(3) + INTERVAL 60 SECOND WHERE user_id = ?",
      [uuidv7(), mina],
    )
    await harness.service.sender.sendDue()
    expect(mailsTo(mina)).toHaveLength(1)
    harness.clockOffset = 61_000
    await harness.deliveriesOf(mina, finished)
    const mails = mailsTo(mina)
    expect(mails).toHaveLength(2)
    expect(headerOf(mails[1]!, 'Message-ID')).toBe(headerOf(first!, 'Message-ID'))
  })
})

describe('push', () => {
  it('is recorded for every member who is not looking, also without a device, and not for the author', async () => {
    const [roomId, author, absent] = newIds(3) as [number, number, number]
    await room(roomId, [author, absent])
    await harness.publish(messageSent, message(roomId, author, '안녕하세요!'))
    const items = await harness.deliveriesOf(
      absent,
      (found) => found.length === 1 && found[0]!.state !== 'pending',
    )
    expect(items[0]).toMatchObject({
      kind: 'message',
      state: 'no_subscription',
      room_id: roomId,
      from_user_id: author,
    })
    expect((await harness.call(author, 'GET', '/notifications/deliveries')).body.items).toEqual([])
  })
})

describe('push for messages', () => {
  it('reaches every device, signed and encrypted, and devices that are gone are forgotten', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    await subscribe(reader, `/phone-${reader}`)
    await subscribe(reader, `/gone-${reader}`)
    harness.push.answers.set(`/gone-${reader}`, 410)
    await say(roomId, author, '안녕하세요!')
    await harness.deliveriesOf(reader, ([push]) => push?.state === 'sent')
    const [push] = pushesTo(`/phone-${reader}`)
    expect(push!.headers).toMatchObject({
      'content-encoding': 'aes128gcm',
      urgency: 'high',
      topic: `room-${roomId}`,
    })
    expect(push!.headers.authorization).toMatch(/^vapid t=.+, ?k=.+/)
    const { body } = await harness.call(reader, 'GET', '/notifications/subscriptions')
    expect(body.items).toHaveLength(1)
    expect(body.vapid_public_key).toBeTypeOf('string')
  })

  it('is one for a burst, with their number', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    await subscribe(reader, `/burst-${reader}`)
    const eventIds = Array.from({ length: 5 }, () => uuidv7())
    for (const eventId of eventIds) {
      await harness.publish(messageSent, message(roomId, author, 'hello'), { eventId })
    }
    for (const eventId of eventIds) await harness.applied(eventId)
    const items = await harness.deliveriesOf(reader, finished)
    expect(items.reduce((sum, item) => sum + Number(item.event_count), 0)).toBe(5)
    expect(pushesTo(`/burst-${reader}`)).toHaveLength(items.length)
    expect(items.length).toBeLessThan(3)
  })

  it('is planned once, however often the event comes', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    const eventId = uuidv7()
    const payload = message(roomId, author, 'hello')
    for (let times = 0; times < 3; times++) await harness.publish(messageSent, payload, { eventId })
    await say(roomId, author, 'the end')
    const items = await harness.deliveriesOf(reader, finished)
    expect(items.reduce((sum, item) => sum + Number(item.event_count), 0)).toBe(2)
  })

  it('is not for a muted room, but for a mention in it, unless mentions are muted too', async () => {
    const [roomId, author, muted, mentioned, strict, late] = newIds(6) as number[]
    await knownRoom(roomId!, [author!, muted!, mentioned!, strict!, late!])
    for (const userId of [muted!, mentioned!, strict!]) {
      await harness.publish(roomMuteChanged, { room_id: roomId!, user_id: userId, muted: true })
    }
    const until = new Date(Date.now() - 1_000).toISOString()
    await harness.publish(roomMuteChanged, {
      room_id: roomId!,
      user_id: late!,
      muted: true,
      muted_until: until,
    })
    await waitFor(async () => {
      const rows = await harness.mysql.query('SELECT 1 FROM room_members WHERE room_id = ? AND muted = 1', [
        roomId,
      ])
      return rows.length === 4
    })
    await harness.call(strict!, 'PUT', '/notifications/preferences', {
      ...preferences,
      mentions_when_muted: false,
    })
    await say(roomId!, author!, '@you', { mentions: [mentioned!, strict!] })
    await harness.deliveriesOf(mentioned!, (items) => items.length === 1)
    await harness.deliveriesOf(late!, (items) => items.length === 1)
    for (const userId of [muted!, strict!]) await harness.deliveriesOf(userId, (items) => items.length === 0)
  })

  it('is not for whoever is looking; whoever has not been heard of for 60 s is not looking', async () => {
    const [roomId, author, looking, closed] = newIds(4) as [number, number, number, number]
    await knownRoom(roomId, [author, looking, closed])
    const instance_id = `chat-${roomId}`
    await harness.publish(streamsAlive, { instance_id, user_ids: [looking, closed] })
    await harness.publish(
      streamPresenceChanged,
      { user_id: closed, instance_id, open_streams: 0 },
      {
        timestamp: new Date(Date.now() + 5),
      },
    )
    await waitFor(async () => {
      const rows = await harness.mysql.query(
        "SELECT 1 FROM open_streams WHERE instance_id = ? AND (seen_at > '2020-01-01') AND (user_id = ? OR closed_at > '2020-01-01')",
        [instance_id, looking],
      )
      return rows.length === 2
    })
    await say(roomId, author, 'hello')
    await harness.deliveriesOf(closed, (items) => items.length === 1)
    await harness.deliveriesOf(looking, (items) => items.length === 0)
    harness.clockOffset = 61_000
    await say(roomId, author, 'hello?')
    await harness.deliveriesOf(looking, (items) => items.length === 1)
  })

  it('is not sent when its reader looks before it would be', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    await subscribe(reader, `/looked-${reader}`)
    await say(roomId, author, 'hello')
    await harness.publish(streamPresenceChanged, { user_id: reader, instance_id: 'chat-x', open_streams: 1 })
    await harness.deliveriesOf(reader, ([push]) => push?.state === 'connected')
    expect(pushesTo(`/looked-${reader}`)).toHaveLength(0)
  })

  it('waits for the end of quiet hours, and is one then', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    await subscribe(reader, `/quiet-${reader}`)
    const time = (ms: number) => new Date(ms).toISOString().slice(11, 16)
    const quiet_hours = {
      start: time(Date.now() - 3_600_000),
      end: time(Date.now() + 3_600_000),
      time_zone: 'UTC',
    }
    await harness.call(reader, 'PUT', '/notifications/preferences', { ...preferences, quiet_hours })
    await say(roomId, author, 'one')
    // Long after a burst would be over, and still within the quiet hours.
    harness.clockOffset = 30 * 60_000
    while ((await harness.service.sender.sendDue()) > 0);
    await say(roomId, author, 'two')
    await harness.deliveriesOf(reader, ([push]) => push?.state === 'pending' && push.event_count === 2)
    harness.clockOffset = 3_600_000 + 60_000
    await harness.deliveriesOf(reader, ([push]) => push?.state === 'sent')
    expect(pushesTo(`/quiet-${reader}`)).toHaveLength(1)
  })

  it('is tried again when the push service is busy', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    await subscribe(reader, `/busy-${reader}`)
    harness.push.answers.set(`/busy-${reader}`, 503)
    await say(roomId, author, 'hello')
    await waitFor(() => pushesTo(`/busy-${reader}`).length === 1)
    await harness.deliveriesOf(reader, ([push]) => push?.state === 'pending')
    harness.push.answers.delete(`/busy-${reader}`)
    harness.clockOffset = 10_000
    await harness.deliveriesOf(reader, ([push]) => push?.state === 'sent')
    expect(pushesTo(`/busy-${reader}`)).toHaveLength(2)
  })

  it('is not lost when the message overtakes the news of its room', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await say(roomId, author, 'first!')
    await harness.deliveriesOf(reader, (items) => items.length === 0)
    await room(roomId, [author, reader])
    await harness.deliveriesOf(reader, ([push]) => push?.state === 'no_subscription')
    expect(await harness.mysql.query('SELECT 1 FROM waiting_messages WHERE room_id = ?', [roomId])).toEqual(
      [],
    )
  })

  it('is not for those who left, and is for those who came', async () => {
    const [roomId, author, left, came] = newIds(4) as [number, number, number, number]
    await knownRoom(roomId, [author, left])
    await harness.publish(roomMembersChanged, {
      room_id: roomId,
      added: [came],
      removed: [left],
      changed_by: author,
      reason: 'invited',
    })
    await waitFor(async () => {
      const rows = await harness.mysql.query('SELECT 1 FROM room_members WHERE room_id = ? AND user_id = ?', [
        roomId,
        came,
      ])
      return rows.length === 1
    })
    await say(roomId, author, 'hello')
    await harness.deliveriesOf(came, (items) => items.length === 1)
    await harness.deliveriesOf(left, (items) => items.length === 0)
  })

  it('is withdrawn with its message', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    const quiet_hours = { start: '00:00', end: '23:59', time_zone: 'UTC' }
    await harness.call(reader, 'PUT', '/notifications/preferences', { ...preferences, quiet_hours })
    const payload = message(roomId, author, 'oops')
    await harness.publish(messageSent, payload)
    await harness.deliveriesOf(reader, (items) => items.length === 1)
    const { message_id, room_id, seq: position, user_id } = payload
    await harness.publish(messageDeleted, {
      message_id,
      room_id,
      seq: position,
      user_id,
      deleted_by: author,
      deleted_at: new Date().toISOString(),
    })
    await harness.deliveriesOf(reader, ([push]) => push?.state === 'withdrawn')
    expect(await harness.mysql.query('SELECT content FROM deliveries WHERE user_id = ?', [reader])).toEqual([
      { content: null },
    ])
  })
})

describe('push for friend requests', () => {
  it('tells the receiver once a day, however often the sender asks and takes back', async () => {
    const [mina, joon] = newIds(2) as [number, number]
    const ask = { request_id: 1, from_user_id: mina, to_user_id: joon }
    await harness.publish(friendRequestSent, ask)
    await harness.deliveriesOf(joon, ([push]) => push?.state === 'no_subscription')
    await harness.publish(friendRequestCancelled, { ...ask, reason: 'cancelled' })
    const eventId = uuidv7()
    await harness.publish(friendRequestSent, { ...ask, request_id: 2 }, { eventId })
    await harness.applied(eventId)
    const items = await harness.deliveriesOf(joon, finished)
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({ kind: 'friend_request', from_user_id: mina })
  })
})

describe('subscriptions', () => {
  it('end with the session that made them', async () => {
    const [mina] = newIds(1) as [number]
    const sessionId = crypto.randomUUID()
    await subscribe(mina, `/session-${mina}`, sessionId)
    await subscribe(mina, `/other-${mina}`)
    await harness.publish(userSessionRevoked, { user_id: mina, session_ids: [sessionId], reason: 'logout' })
    await waitFor(async () => {
      const { body } = await harness.call(mina, 'GET', '/notifications/subscriptions')
      return body.items!.length === 1
    })
  })

  it('are at most 20 a user, the oldest goes first; a browser belongs to whoever signed in last', async () => {
    const [mina, joon] = newIds(2) as [number, number]
    const first = await subscribe(mina, `/s-${mina}`)
    for (let count = 0; count < 20; count++) await subscribe(mina, `/s-${mina}-${count}`)
    const { body } = await harness.call(mina, 'GET', '/notifications/subscriptions')
    expect(body.items).toHaveLength(20)
    expect(body.items!.map((item) => item.subscription_id)).not.toContain(first)
    const browser = harness.push.subscription(`/shared-${mina}`)
    await harness.call(mina, 'PUT', '/notifications/subscriptions', browser)
    await harness.call(joon, 'PUT', '/notifications/subscriptions', browser)
    const rows = await harness.mysql.query('SELECT user_id FROM push_subscriptions WHERE endpoint = ?', [
      browser.endpoint,
    ])
    expect(rows).toEqual([{ user_id: joon }])
  })

  it('of others cannot be seen or ended', async () => {
    const [mina, eve] = newIds(2) as [number, number]
    const id = await subscribe(mina, `/mine-${mina}`)
    expect((await harness.call(eve, 'DELETE', `/notifications/subscriptions/${id}`)).status).toBe(404)
    expect((await harness.call(eve, 'GET', '/notifications/subscriptions')).body.items).toEqual([])
    expect((await harness.call(mina, 'DELETE', `/notifications/subscriptions/${id}`)).status).toBe(204)
  })

  it.each([
    ['PUT', '/notifications/subscriptions', { endpoint: 'nonsense', keys: {} }],
    [
      'PUT',
      '/notifications/subscriptions',
      { endpoint: 'https://push.example.com/x', keys: { p256dh: 'a', auth: 'b' } },
    ],
    [
      'PUT',
      '/notifications/preferences',
      { ...preferences, quiet_hours: { start: '25:00', end: '07:00', time_zone: 'UTC' } },
    ],
    [
      'PUT',
      '/notifications/preferences',
      { ...preferences, quiet_hours: { start: '22:00', end: '07:00', time_zone: 'Moon/Base' } },
    ],
    ['PUT', '/notifications/preferences', { message_push: true }],
    ['DELETE', '/notifications/subscriptions/x', undefined],
    ['GET', '/notifications/deliveries?limit=0', undefined],
    ['GET', '/notifications/deliveries?cursor=nonsense', undefined],
  ] as const)('%s %s %j is not valid', async (method, url, body) => {
    expect((await harness.call(newIds(1)[0]!, method, url, body)).status).toBe(422)
  })
})

describe('preferences', () => {
  it('are the defaults until they are chosen', async () => {
    const [mina] = newIds(1) as [number]
    expect((await harness.call(mina, 'GET', '/notifications/preferences')).body).toEqual(preferences)
    const chosen = { ...preferences, quiet_hours: { start: '22:00', end: '07:00', time_zone: 'Asia/Seoul' } }
    expect((await harness.call(mina, 'PUT', '/notifications/preferences', chosen)).body).toEqual(chosen)
    expect((await harness.call(mina, 'GET', '/notifications/preferences')).body).toEqual(chosen)
  })

  it('switch message pushes off', async () => {
    const [roomId, author, reader, other] = newIds(4) as [number, number, number, number]
    await knownRoom(roomId, [author, reader, other])
    await harness.call(reader, 'PUT', '/notifications/preferences', { ...preferences, message_push: false })
    await say(roomId, author, 'hello')
    await harness.deliveriesOf(other, (items) => items.length === 1)
    await harness.deliveriesOf(reader, (items) => items.length === 0)
  })
})

describe('a deleted account', () => {
  it('leaves nothing behind, in its own rows and in those of others', async () => {
    const [roomId, mina, reader] = newIds(3) as [number, number, number]
    await register(mina)
    await knownRoom(roomId, [mina, reader])
    await subscribe(mina, `/deleted-${mina}`)
    await harness.call(mina, 'PUT', '/notifications/preferences', preferences)
    await say(roomId, mina, 'my last words')
    await harness.deliveriesOf(mina, finished)
    const eventId = uuidv7()
    const deletion = { user_id: mina, deletion_id: crypto.randomUUID(), message_policy: 'remove' as const }
    await harness.publish(userDeleted, deletion, { eventId })
    await harness.applied(eventId)
    for (const table of ['deliveries', 'preferences', 'push_subscriptions', 'room_members', 'open_streams']) {
      const rows = await harness.mysql.query(`SELECT 1 FROM ${table} WHERE user_id = ?`, [mina])
      expect(rows, table).toEqual([])
    }
    const contact = await harness.mysql.query(
      'SELECT email, username, locale FROM contacts WHERE user_id = ?',
      [mina],
    )
    expect(contact).toEqual([{ email: null, username: '', locale: null }])
    expect(await harness.mysql.query('SELECT 1 FROM deliveries WHERE actor_id = ?', [mina])).toEqual([])
  })
})

describe('a claim', () => {
  it('keeps a delivery to itself until its lease is over', async () => {
    const [mina] = newIds(1) as [number]
    const due = Date.parse('2099-01-01T00:00:00Z')
    await harness.mysql.query(
      `INSERT INTO deliveries (id, user_id, kind, channel, state, event_id, due_at, created_at)
       VALUES (?, ?, 'friend_request', 'push', 'pending', ?, '2099-01-01', '2026-01-01')`,
      [uuidv7(), mina, uuidv7()],
    )
    const claimAt = async (now: number) => {
      const { deliveries } = await harness.service.deliveries.claim(100, now)
      return deliveries.filter(({ userId }) => userId === mina).length
    }
    expect(await claimAt(due - 1)).toBe(0)
    const both = await Promise.all([claimAt(due + 1), claimAt(due + 1)])
    expect(both.sort()).toEqual([0, 1])
    expect(await claimAt(due + 59_000)).toBe(0)
    expect(await claimAt(due + 61_000)).toBe(1)
    await harness.mysql.query('DELETE FROM deliveries WHERE user_id = ?', [mina])
  })
})

describe('the delivery log', () => {
  it('is read and claimed by index, and paged', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    for (let count = 0; count < 3; count++) {
      await say(roomId, author, 'hello')
      await harness.deliveriesOf(reader, (items) => items.length === count + 1 && finished(items))
    }
    const first = await harness.call(reader, 'GET', '/notifications/deliveries?limit=2')
    const rest = await harness.call(
      reader,
      'GET',
      `/notifications/deliveries?limit=2&cursor=${first.body.next_cursor}`,
    )
    const ids = [...first.body.items!, ...rest.body.items!].map((item) => item.delivery_id)
    expect(new Set(ids).size).toBe(3)
    expect(rest.body.next_cursor).toBeNull()
    const plan = await harness.mysql.query(
      "EXPLAIN SELECT * FROM deliveries WHERE state = 'pending' AND due_at <= NOW() ORDER BY due_at LIMIT 8",
    )
    expect(plan[0]).toMatchObject({ key: 'deliveries_due' })
  })
})

describeConformance({ title: 'Notification Service', service: () => harness.service })
describeMigrations({
  migrationsDir,
  schemaPath: fileURLToPath(new URL('../../../prisma/schema.prisma', import.meta.url)),
})

import {
  messageDeleted,
  messageSent,
  roomCreated,
  roomMuteChanged,
  streamPresenceChanged,
  streamsAlive,
  userDeleted,
  userRestricted,
  userUnrestricted,
  uuidv7,
} from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { describe, expect, it } from 'vitest'
import { newIds } from '../../../testing/harness.ts'
import { everythingOn, finished, scenesOf } from '../../../testing/scenes.ts'
import { useHarness } from '../../../testing/use-harness.ts'

const harness = useHarness()
const { message, register, room, knownRoom, say, subscribe, pushesTo } = scenesOf(harness)

describe('a push notification', () => {
  it('a push notification is recorded for every member without an open stream, even without a device, but not for the author', async () => {
    const [roomId, author, absent] = newIds(3) as [number, number, number]
    await room(roomId, [author, absent])
    await harness().publish(messageSent, message(roomId, author, '안녕하세요!'))
    const items = await harness().deliveriesOf(
      absent,
      (found) => found.length === 1 && found[0]!.state !== 'pending',
    )
    expect(items[0]).toMatchObject({
      kind: 'message',
      state: 'no_subscription',
      room_id: roomId,
      from_user_id: author,
    })
    expect((await harness().call(author, 'GET', '/notifications/deliveries')).body.items).toEqual([])
  })
})

describe('a push notification for messages', () => {
  it('a push notification reaches every device signed and encrypted, and lost devices are removed', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    await subscribe(reader, `/phone-${reader}`)
    await subscribe(reader, `/gone-${reader}`)
    harness().push.answers.set(`/gone-${reader}`, 410)
    await say(roomId, author, '안녕하세요!')
    await harness().deliveriesOf(reader, ([push]) => push?.state === 'sent')
    const [push] = pushesTo(`/phone-${reader}`)
    expect(push!.headers).toMatchObject({
      'content-encoding': 'aes128gcm',
      urgency: 'high',
      topic: `room-${roomId}`,
    })
    expect(push!.headers.authorization).toMatch(/^vapid t=.+, ?k=.+/)
    const { body } = await harness().call(reader, 'GET', '/notifications/subscriptions')
    expect(body.items).toHaveLength(1)
    expect(body.vapid_public_key).toBeTypeOf('string')
  })

  it('a push notification combines a burst and contains the number of messages', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    await subscribe(reader, `/burst-${reader}`)
    const eventIds = Array.from({ length: 5 }, () => uuidv7())
    for (const eventId of eventIds) {
      await harness().publish(messageSent, message(roomId, author, 'hello'), { eventId })
    }
    for (const eventId of eventIds) await harness().applied(eventId)
    const items = await harness().deliveriesOf(reader, finished)
    expect(items.reduce((sum, item) => sum + Number(item.event_count), 0)).toBe(5)
    expect(pushesTo(`/burst-${reader}`)).toHaveLength(items.length)
    expect(items.length).toBeLessThan(3)
  })

  it('a push notification is planned once for duplicate events', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    const eventId = uuidv7()
    const payload = message(roomId, author, 'hello')
    for (let times = 0; times < 3; times++) await harness().publish(messageSent, payload, { eventId })
    await say(roomId, author, 'the end')
    const items = await harness().deliveriesOf(reader, finished)
    expect(items.reduce((sum, item) => sum + Number(item.event_count), 0)).toBe(2)
  })

  it('a push notification is omitted for a muted room, except for mentions unless these are muted too', async () => {
    const [roomId, author, muted, mentioned, strict, late] = newIds(6) as number[]
    await knownRoom(roomId!, [author!, muted!, mentioned!, strict!, late!])
    for (const userId of [muted!, mentioned!, strict!]) {
      await harness().publish(roomMuteChanged, { room_id: roomId!, user_id: userId, muted: true })
    }
    const until = new Date(Date.now() - 1_000).toISOString()
    await harness().publish(roomMuteChanged, {
      room_id: roomId!,
      user_id: late!,
      muted: true,
      muted_until: until,
    })
    await waitFor(async () => {
      const rows = await harness().mysql.query('SELECT 1 FROM room_members WHERE room_id = ? AND muted = 1', [
        roomId,
      ])
      return rows.length === 4
    })
    await harness().call(strict!, 'PUT', '/notifications/preferences', {
      ...everythingOn,
      mentions_when_muted: false,
    })
    await say(roomId!, author!, '@you', { mentions: [mentioned!, strict!] })
    await harness().deliveriesOf(mentioned!, (items) => items.length === 1)
    await harness().deliveriesOf(late!, (items) => items.length === 1)
    for (const userId of [muted!, strict!])
      await harness().deliveriesOf(userId, (items) => items.length === 0)
  })

  it('a push notification is omitted in a 1:1 room for a user who restricts the author, even for a mention, but not in a group', async () => {
    const [direct, group, author, reader] = newIds(4) as [number, number, number, number]
    await knownRoom(group, [author, reader])
    await harness().publish(roomCreated, {
      room_id: direct,
      room_type: 'direct',
      name: null,
      created_by: author,
      member_ids: [author, reader],
    })
    await waitFor(async () => {
      const rows = await harness().mysql.query('SELECT 1 FROM room_members WHERE room_id = ?', [direct])
      return rows.length === 2
    })
    const tell = async (definition: typeof userRestricted | typeof userUnrestricted) => {
      const eventId = uuidv7()
      await harness().publish(definition, { restricter_id: reader, restricted_id: author }, { eventId })
      await harness().applied(eventId)
    }
    await tell(userRestricted)
    await say(direct, author, 'are you there?', { mentions: [reader] })
    await say(group, author, 'lunch?')
    const ofRooms = (items: readonly Record<string, unknown>[]) => items.map(({ room_id }) => room_id)
    expect(ofRooms(await harness().deliveriesOf(reader, finished))).toEqual([group])
    await say(direct, reader, 'a reply')
    await harness().deliveriesOf(author, (items) => items.length === 2 || ofRooms(items).includes(direct))
    await tell(userUnrestricted)
    await say(direct, author, 'hello')
    await harness().deliveriesOf(reader, (items) => ofRooms(items).includes(direct))
  })

  it('a push notification that is already planned is not sent once its receiver restricts the author', async () => {
    const [direct, author, reader] = newIds(3) as [number, number, number]
    await harness().publish(roomCreated, {
      room_id: direct,
      room_type: 'direct',
      name: null,
      created_by: author,
      member_ids: [author, reader],
    })
    await waitFor(async () => {
      const rows = await harness().mysql.query('SELECT 1 FROM room_members WHERE room_id = ?', [direct])
      return rows.length === 2
    })
    await subscribe(reader, `/restricting-${reader}`)
    const lateMs = 3_600_000
    const quiet = new Date(Date.now() + harness().clockOffset)
    const at = (ms: number) => new Date(quiet.getTime() + ms).toISOString().slice(11, 16)
    await harness().call(reader, 'PUT', '/notifications/preferences', {
      ...everythingOn,
      quiet_hours: { start: at(-600_000), end: at(lateMs), time_zone: 'UTC' },
    })
    await say(direct, author, 'hello')
    await harness().deliveriesOf(reader, (items) => items.length === 1)
    const eventId = uuidv7()
    await harness().publish(userRestricted, { restricter_id: reader, restricted_id: author }, { eventId })
    await harness().applied(eventId)
    harness().clockOffset = lateMs + 120_000
    const [push] = await harness().deliveriesOf(reader, finished)
    expect(push).toMatchObject({ state: 'disabled' })
    expect(pushesTo(`/restricting-${reader}`)).toEqual([])
  })

  it('a push notification is omitted for users with an open stream; a stream without heartbeat for 60 s does not count', async () => {
    const [roomId, author, looking, closed] = newIds(4) as [number, number, number, number]
    await knownRoom(roomId, [author, looking, closed])
    const instance_id = `chat-${roomId}`
    await harness().publish(streamsAlive, { instance_id, user_ids: [looking, closed] })
    await harness().publish(
      streamPresenceChanged,
      { user_id: closed, instance_id, open_streams: 0 },
      {
        timestamp: new Date(Date.now() + 5),
      },
    )
    await waitFor(async () => {
      const rows = await harness().mysql.query(
        "SELECT 1 FROM open_streams WHERE instance_id = ? AND (seen_at > '2020-01-01') AND (user_id = ? OR closed_at > '2020-01-01')",
        [instance_id, looking],
      )
      return rows.length === 2
    })
    await say(roomId, author, 'hello')
    await harness().deliveriesOf(closed, (items) => items.length === 1)
    await harness().deliveriesOf(looking, (items) => items.length === 0)
    harness().clockOffset = 61_000
    await say(roomId, author, 'hello?')
    await harness().deliveriesOf(looking, (items) => items.length === 1)
  })

  it('a push notification is not sent when its receiver opens a stream first', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    await subscribe(reader, `/looked-${reader}`)
    await say(roomId, author, 'hello')
    await harness().publish(streamPresenceChanged, {
      user_id: reader,
      instance_id: 'chat-x',
      open_streams: 1,
    })
    await harness().deliveriesOf(reader, ([push]) => push?.state === 'connected')
    expect(pushesTo(`/looked-${reader}`)).toHaveLength(0)
  })

  it('a push notification is retried while the push service is busy', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    await subscribe(reader, `/busy-${reader}`)
    harness().push.answers.set(`/busy-${reader}`, 503)
    await say(roomId, author, 'hello')
    await waitFor(() => pushesTo(`/busy-${reader}`).length === 1)
    await harness().deliveriesOf(reader, ([push]) => push?.state === 'pending')
    harness().push.answers.delete(`/busy-${reader}`)
    harness().clockOffset = 10_000
    await harness().deliveriesOf(reader, ([push]) => push?.state === 'sent')
    expect(pushesTo(`/busy-${reader}`)).toHaveLength(2)
  })

  it('a push notification is not delayed by unresponsive push services of others or by undeliverable mails', async () => {
    const [roomId, author, reader, ...slow] = newIds(19) as [number, number, number, ...number[]]
    harness().mail.silent = true
    for (const userId of slow) await register(userId)
    await knownRoom(roomId, [author, ...slow])
    for (const userId of slow) {
      harness().push.answers.set(`/slow-${userId}`, 'silent')
      await subscribe(userId, `/slow-${userId}`)
    }
    await say(roomId, author, 'to those behind a slow service')
    await waitFor(() => pushesTo(`/slow-${slow[0]}`).length === 1)
    const [otherRoom] = newIds(1) as [number]
    await knownRoom(otherRoom, [author, reader])
    await subscribe(reader, `/quick-${reader}`)
    await say(otherRoom, author, 'hello')
    await waitFor(() => pushesTo(`/quick-${reader}`).length === 1, { timeoutMs: 3_000 })
    harness().mail.silent = false
    harness().push.answers.clear()
    for (const service of [harness().mail, harness().push]) service.hangUp()
  }, 30_000)

  it("a push notification is not lost when the message arrives before its room's events", async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await say(roomId, author, 'first!')
    await harness().deliveriesOf(reader, (items) => items.length === 0)
    await room(roomId, [author, reader])
    await harness().deliveriesOf(reader, ([push]) => push?.state === 'no_subscription')
    expect(await harness().mysql.query('SELECT 1 FROM waiting_messages WHERE room_id = ?', [roomId])).toEqual(
      [],
    )
  })

  it('a push notification is never sent for a deleted message, or one of a deleted author, whose room was unknown', async () => {
    const [roomId, gone, author, reader] = newIds(4) as [number, number, number, number]
    const payload = message(roomId, author, 'oops')
    await harness().publish(messageSent, payload)
    await say(roomId, gone, 'my last words')
    const { message_id, seq: position } = payload
    const deletion = { message_id, room_id: roomId, seq: position, user_id: author, deleted_by: author }
    const eventIds = [uuidv7(), uuidv7()] as const
    const deleted_at = new Date().toISOString()
    await harness().publish(messageDeleted, { ...deletion, deleted_at }, { eventId: eventIds[0] })
    const erasure = { user_id: gone, deletion_id: crypto.randomUUID(), message_policy: 'remove' as const }
    await harness().publish(userDeleted, erasure, { eventId: eventIds[1] })
    for (const eventId of eventIds) await harness().applied(eventId)
    expect(await harness().mysql.query('SELECT 1 FROM waiting_messages WHERE room_id = ?', [roomId])).toEqual(
      [],
    )
    await knownRoom(roomId, [author, reader])
    await say(roomId, author, 'the first that counts')
    await harness().deliveriesOf(reader, (items) => items.length === 1 && items[0]!.event_count === 1)
  })
})

import {
  messageDeleted,
  messageEdited,
  messageSent,
  roomMembersChanged,
  roomMuteChanged,
  uuidv7,
} from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { describe, expect, it } from 'vitest'
import { newIds } from '../../../testing/harness.ts'
import { everythingOn, scenesOf } from '../../../testing/scenes.ts'
import { useHarness } from '../../../testing/use-harness.ts'

const harness = useHarness()
const { message, knownRoom, say, subscribe, pushesTo } = scenesOf(harness)

function quietForAnHour() {
  const time = (ms: number) => new Date(ms).toISOString().slice(11, 16)
  const quiet_hours = {
    start: time(Date.now() - 3_600_000),
    end: time(Date.now() + 3_600_000),
    time_zone: 'UTC',
  }
  return { ...everythingOn, quiet_hours }
}

describe('a push notification for messages', () => {
  it('a push notification waits for the end of quiet hours, and combines all messages', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    await subscribe(reader, `/quiet-${reader}`)
    await harness().call(reader, 'PUT', '/notifications/preferences', quietForAnHour())
    await say(roomId, author, 'one')
    // Long after the end of a burst, but within the quiet hours.
    harness().clockOffset = 30 * 60_000
    while ((await harness().service.sender.sendDue()) > 0);
    await say(roomId, author, 'two')
    await harness().deliveriesOf(reader, ([push]) => push?.state === 'pending' && push.event_count === 2)
    harness().clockOffset = 3_600_000 + 60_000
    await harness().deliveriesOf(reader, ([push]) => push?.state === 'sent')
    expect(pushesTo(`/quiet-${reader}`)).toHaveLength(1)
  })

  it('a waiting push notification is omitted for members who left, and sent to members who joined', async () => {
    const [roomId, author, left, came] = newIds(4) as [number, number, number, number]
    await knownRoom(roomId, [author, left])
    await harness().publish(roomMembersChanged, {
      room_id: roomId,
      added: [came],
      removed: [left],
      changed_by: author,
      reason: 'invited',
    })
    await waitFor(async () => {
      const rows = await harness().mysql.query(
        'SELECT 1 FROM room_members WHERE room_id = ? AND user_id = ?',
        [roomId, came],
      )
      return rows.length === 1
    })
    await say(roomId, author, 'hello')
    await harness().deliveriesOf(came, (items) => items.length === 1)
    await harness().deliveriesOf(left, (items) => items.length === 0)
  })

  it('a waiting push notification is withdrawn for members who have left or muted the room since', async () => {
    const [roomId, author, kicked, muted, stays] = newIds(5) as [number, number, number, number, number]
    const readers = [kicked, muted, stays]
    await knownRoom(roomId, [author, ...readers])
    for (const userId of readers) {
      await subscribe(userId, `/later-${userId}`)
      await harness().call(userId, 'PUT', '/notifications/preferences', quietForAnHour())
    }
    await say(roomId, author, 'not for everybody')
    for (const userId of readers) await harness().deliveriesOf(userId, (items) => items.length === 1)
    const removal = { room_id: roomId, added: [], removed: [kicked], changed_by: author }
    await harness().publish(roomMembersChanged, { ...removal, reason: 'removed' })
    const eventId = uuidv7()
    await harness().publish(roomMuteChanged, { room_id: roomId, user_id: muted, muted: true }, { eventId })
    await harness().applied(eventId)
    harness().clockOffset = 3_600_000 + 60_000
    await harness().deliveriesOf(stays, ([push]) => push?.state === 'sent')
    await harness().deliveriesOf(kicked, ([push]) => push?.state === 'withdrawn')
    await harness().deliveriesOf(muted, ([push]) => push?.state === 'disabled')
    for (const userId of [kicked, muted]) expect(pushesTo(`/later-${userId}`)).toHaveLength(0)
  })

  it('a waiting push notification contains the edited text of a message', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    await harness().call(reader, 'PUT', '/notifications/preferences', quietForAnHour())
    const payload = message(roomId, author, 'my PIN is 1234')
    await harness().publish(messageSent, payload)
    await harness().deliveriesOf(reader, (items) => items.length === 1)
    const { message_id, room_id, seq: position, user_id } = payload
    const eventId = uuidv7()
    const edit = { message_id, room_id, seq: position, user_id, edited_at: new Date().toISOString() }
    await harness().publish(messageEdited, { ...edit, content: 'never mind', rev: 1 }, { eventId })
    await harness().applied(eventId)
    const [row] = await harness().mysql.query('SELECT content FROM deliveries WHERE user_id = ?', [reader])
    expect(JSON.parse(String(row!.content))).toEqual({
      from: payload.username,
      text: 'never mind',
      type: 'text',
    })
  })

  it('a waiting push notification counts the remaining messages of a burst after its last message was deleted', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    await harness().call(reader, 'PUT', '/notifications/preferences', quietForAnHour())
    for (const text of ['one', 'two']) await say(roomId, author, text)
    const { message_id, ...last } = message(roomId, author, 'oops')
    await harness().publish(messageSent, { message_id, ...last })
    await harness().deliveriesOf(reader, ([push]) => push?.event_count === 3)
    const deletion = { message_id, room_id: roomId, seq: last.seq, user_id: author, deleted_by: author }
    await harness().publish(messageDeleted, { ...deletion, deleted_at: new Date().toISOString() })
    await harness().deliveriesOf(reader, ([push]) => push?.state === 'pending' && push.event_count === 2)
  })

  it('a waiting push notification is withdrawn with its message', async () => {
    const [roomId, author, reader] = newIds(3) as [number, number, number]
    await knownRoom(roomId, [author, reader])
    const quiet_hours = { start: '00:00', end: '23:59', time_zone: 'UTC' }
    await harness().call(reader, 'PUT', '/notifications/preferences', { ...everythingOn, quiet_hours })
    const payload = message(roomId, author, 'oops')
    await harness().publish(messageSent, payload)
    await harness().deliveriesOf(reader, (items) => items.length === 1)
    const { message_id, room_id, seq: position, user_id } = payload
    await harness().publish(messageDeleted, {
      message_id,
      room_id,
      seq: position,
      user_id,
      deleted_by: author,
      deleted_at: new Date().toISOString(),
    })
    await harness().deliveriesOf(reader, ([push]) => push?.state === 'withdrawn')
    expect(await harness().mysql.query('SELECT content FROM deliveries WHERE user_id = ?', [reader])).toEqual(
      [{ content: null }],
    )
  })
})

import { messageSent, roomCreated, userRegistered, uuidv7 } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Harness, newIds, startHarness } from '../../testing/harness.ts'
import { headerOf } from '../../testing/mail-catcher.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
})
afterAll(() => harness.stop())

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

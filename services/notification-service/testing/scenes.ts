import { messageSent, roomCreated, userRegistered, uuidv7 } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import type { Harness } from './harness.ts'
import type { CaughtMail } from './mail-catcher.ts'

/** Everything on, no quiet hours: the defaults. */
export const everythingOn = {
  message_push: true,
  friend_request_push: true,
  mentions_when_muted: true,
  show_preview: true,
  quiet_hours: null,
}

/** Returns whether something was planned and nothing is pending. */
export const finished = (items: readonly Record<string, unknown>[]) =>
  items.length > 0 && items.every(({ state }) => state !== 'pending')

/** Returns the actions of users and neighbor services as used in tests. */
export function scenesOf(harness: () => Harness) {
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
  const room = (roomId: number, members: number[]) =>
    harness().publish(roomCreated, {
      room_id: roomId,
      room_type: 'group',
      name: '점심',
      created_by: members[0]!,
      member_ids: members,
    })
  return {
    message,
    room,
    register: (userId: number, locale?: string, eventId: string = uuidv7()) =>
      harness().publish(
        userRegistered,
        {
          user_id: userId,
          email: `user${userId}@example.com`,
          username: `user${userId}`,
          display_name: `사람 ${userId}`,
          ...(locale ? { locale } : {}),
        },
        { eventId },
      ),
    mailsTo: (userId: number): CaughtMail[] =>
      harness().mail.mails.filter(({ to }) => to === `user${userId}@example.com`),
    /** Creates a room with known members. */
    knownRoom: async (roomId: number, members: number[]) => {
      await room(roomId, members)
      await waitFor(async () => {
        const rows = await harness().mysql.query('SELECT 1 FROM room_members WHERE room_id = ?', [roomId])
        return rows.length === members.length
      })
    },
    /** Sends a message and waits until the service has applied it. */
    say: async (roomId: number, from: number, text: string, more: object = {}) => {
      const eventId = uuidv7()
      await harness().publish(messageSent, message(roomId, from, text, more), { eventId })
      await harness().applied(eventId)
    },
    subscribe: async (userId: number, path: string, sessionId?: string): Promise<string> => {
      const body = harness().push.subscription(path)
      const answer = await harness().call(userId, 'PUT', '/notifications/subscriptions', body, sessionId)
      if (answer.status !== 200) throw new Error(JSON.stringify(answer))
      return String(answer.body.subscription_id)
    },
    pushesTo: (path: string) => harness().push.pushes.filter((push) => push.path === path),
  }
}

import type { Message } from '@bigtech/client'

const UNKNOWN = 'Unknown user'

/** What a `system` message tells of, in words; it has no text of its own. */
export function systemLine(message: Message, nameOf: (userId: number) => string | undefined): string {
  const { kind, payload } = message.system ?? { kind: '', payload: {} }
  const actor = nameOf(message.user_id) ?? (message.username || UNKNOWN)
  const named = (userId: unknown) => (typeof userId === 'number' ? nameOf(userId) : undefined) ?? UNKNOWN
  const whom = Array.isArray(payload.user_ids) ? payload.user_ids.map(named).join(', ') : UNKNOWN
  switch (kind) {
    case 'members_invited':
      return `${actor} invited ${whom}`
    case 'member_joined':
      return `${actor} joined`
    case 'member_left':
      return `${actor} left`
    case 'member_removed':
      return `${actor} removed ${whom}`
    case 'room_renamed':
      return payload.name ? `${actor} named the room “${payload.name}”` : `${actor} took the room's name away`
    case 'room_image_changed':
      return `${actor} changed the room's picture`
    case 'owner_changed':
      return `${named(payload.user_id)} is the owner now`
    case 'role_changed':
      return `${named(payload.user_id)} is ${payload.role === 'admin' ? 'an admin' : 'a member'} now`
    default:
      return message.content || 'The room was changed'
  }
}

import type { Message } from '@bigtech/client'
import type { Translate } from '../i18n/index.ts'

/** Returns the ids of the people that a `system` message names. */
export function peopleOf({ user_id, system }: Message): number[] {
  const { user_ids, user_id: other } = system?.payload ?? {}
  const ids = [user_id, other, ...(Array.isArray(user_ids) ? user_ids : [])]
  return ids.filter((id) => typeof id === 'number')
}

/** Returns the text of a `system` message, which has no text of its own. */
export function systemLine(
  message: Message,
  nameOf: (userId: number) => string | undefined,
  t: Translate,
): string {
  const unknown = t('unknownUser')
  const { kind, payload } = message.system ?? { kind: '', payload: {} }
  const actor = nameOf(message.user_id) ?? (message.username || unknown)
  const named = (userId: unknown) => (typeof userId === 'number' ? nameOf(userId) : undefined) ?? unknown
  const whom = Array.isArray(payload.user_ids) ? payload.user_ids.map(named).join(', ') : unknown
  switch (kind) {
    case 'members_invited':
      return t('system.invited', { actor, whom })
    case 'member_joined':
      return t('system.joined', { actor })
    case 'member_left':
      return t('system.left', { actor })
    case 'member_removed':
      return t('system.removed', { actor, whom })
    case 'room_renamed':
      return payload.name
        ? t('system.renamed', { actor, name: String(payload.name) })
        : t('system.nameRemoved', { actor })
    case 'room_image_changed':
      return t('system.imageChanged', { actor })
    case 'owner_changed':
      return t('system.owner', { who: named(payload.user_id) })
    case 'role_changed':
      return t(payload.role === 'admin' ? 'system.admin' : 'system.member', { who: named(payload.user_id) })
    case 'member_silenced':
      return t('system.silenced', { actor, who: named(payload.user_id) })
    case 'member_unsilenced':
      return t('system.unsilenced', { actor, who: named(payload.user_id) })
    case 'posting_changed':
      return t(payload.posting === 'admins' ? 'system.announcements' : 'system.everyoneWrites', { actor })
    case 'slow_mode_changed':
      return payload.slow_mode_seconds
        ? t('system.slowMode', { actor, count: Number(payload.slow_mode_seconds) })
        : t('system.slowModeOff', { actor })
    default:
      return message.content || t('message.roomChanged')
  }
}

import {
  type EventBase,
  messageDeleted,
  roomMemberSilenced,
  roomMembersChanged,
  roomRoleChanged,
  roomRulesChanged,
  roomUpdated,
} from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import type { SystemMessageKind, SystemMessages } from '../messages/messages.ports.ts'
import type { RoomToolsRepository } from './room-tools.repository.ts'

const kindByReason = {
  invited: 'members_invited',
  joined: 'member_joined',
  left: 'member_left',
  removed: 'member_removed',
  account_deleted: 'member_left',
} as const

/**
 * Returns the handlers that write system messages. Triggered by events rather than requests: every committed
 * change gets one message, even after a crash, and duplicate events get one message.
 */
export function systemMessageHandlers(messages: SystemMessages): Subscription[] {
  const append = (
    event: EventBase & { room_id: number },
    actorId: number,
    kind: SystemMessageKind,
    payload: Record<string, unknown>,
    part = '',
  ) => messages.append({ roomId: event.room_id, kind, payload, actorId, key: event.event_id + part })
  return [
    on(roomMembersChanged, (event) =>
      append(event, event.changed_by, kindByReason[event.reason], {
        user_ids: event.added.length > 0 ? event.added : event.removed,
      }),
    ),
    on(roomRoleChanged, (event) =>
      append(event, event.changed_by, event.role === 'owner' ? 'owner_changed' : 'role_changed', {
        user_id: event.user_id,
        role: event.role,
      }),
    ),
    on(roomMemberSilenced, ({ user_id, silenced_until, ...event }) =>
      append(event, event.changed_by, silenced_until ? 'member_silenced' : 'member_unsilenced', {
        user_id,
        ...(silenced_until ? { silenced_until } : {}),
      }),
    ),
    on(roomRulesChanged, async (event) => {
      const { changed, posting, slow_mode_seconds } = event
      if (changed.includes('posting'))
        await append(event, event.changed_by, 'posting_changed', { posting }, '.p')
      if (changed.includes('slow_mode_seconds'))
        await append(event, event.changed_by, 'slow_mode_changed', { slow_mode_seconds }, '.s')
    }),
    on(roomUpdated, async (event) => {
      const { changed = [], name } = event
      if (changed.includes('name')) await append(event, event.changed_by, 'room_renamed', { name }, '.n')
      if (changed.includes('image_url')) await append(event, event.changed_by, 'room_image_changed', {}, '.i')
    }),
  ]
}

/** Writes into the audit log of a room which messages of others its owner and admins deleted. */
export function auditHandlers(store: Pick<RoomToolsRepository, 'noteDeletion'>): Subscription[] {
  return [
    on(messageDeleted, async (event) => {
      if (event.deleted_by === event.user_id) return 'ignored'
      return store.noteDeletion({
        eventId: event.event_id,
        roomId: event.room_id,
        messageId: event.message_id,
        authorId: event.user_id,
        deletedBy: event.deleted_by,
        deletedAt: new Date(event.deleted_at),
      })
    }),
  ]
}

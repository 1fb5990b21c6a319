import {
  type EventBase,
  roomCreated,
  roomDeleted,
  roomMembersChanged,
  roomMuteChanged,
  roomRoleChanged,
  roomUpdated,
} from '@bigtech/contracts'
import { type EventContext, on, type Subscription } from '@bigtech/kafka'
import type { MembershipService } from './membership.service.ts'
import type { SystemMessageKind, SystemMessages } from './membership.ts'

/**
 * Invalidates cached memberships on every process. Reliable path; the Redis hint is best effort. Skips events
 * published before the process started: their changes were committed before the first read filled the cache,
 * and looking each of them up in MySQL would only delay readiness.
 */
export function liveRoomHandlers(
  membership: Pick<MembershipService, 'membersChanged' | 'settingsChanged'>,
): Subscription[] {
  const changed = async (
    { room_id: roomId }: { room_id: number },
    { beforeStart }: EventContext,
    added: readonly number[],
    removed: readonly number[],
  ) => {
    if (beforeStart) return
    await membership.membersChanged(roomId, [...added, ...removed], { roomId, added, removed })
  }
  return [
    on(roomCreated, (event, ctx) => changed(event, ctx, event.member_ids, [])),
    on(roomMembersChanged, (event, ctx) => changed(event, ctx, event.added, event.removed)),
    on(roomDeleted, (event, ctx) => changed(event, ctx, [], event.member_ids ?? [])),
    on(roomRoleChanged, async (event) => membership.settingsChanged(event.room_id, [event.user_id])),
    on(roomMuteChanged, async (event) => membership.settingsChanged(event.room_id, [event.user_id])),
  ]
}

const kindByReason = {
  invited: 'members_invited',
  joined: 'member_joined',
  left: 'member_left',
  removed: 'member_removed',
  account_deleted: 'member_left',
} as const

/**
 * Writes changes of a room into its history. Fed by the events and not by the request: a change that
 * is committed gets its line, whatever becomes of the process; and twice the same event is one line.
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
    on(roomUpdated, async (event) => {
      const { changed = [], name, image_url } = event
      if (changed.includes('name')) await append(event, event.changed_by, 'room_renamed', { name }, '.n')
      if (changed.includes('image_url'))
        await append(event, event.changed_by, 'room_image_changed', { image_url }, '.i')
    }),
  ]
}

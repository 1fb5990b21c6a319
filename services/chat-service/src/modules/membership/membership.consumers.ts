import {
  roomCreated,
  roomDeleted,
  roomMemberSilenced,
  roomMembersChanged,
  roomMuteChanged,
  roomRoleChanged,
  roomRulesChanged,
} from '@bigtech/contracts'
import { type EventContext, on, type Subscription } from '@bigtech/kafka'
import type { MembershipService } from './membership.service.ts'

/**
 * Invalidates cached memberships on every process. Reliable path; the Redis hint is best effort. Skips events
 * published before the process started: their changes were committed before the first read filled the cache,
 * and looking each of them up in MySQL would only delay readiness.
 */
export function membershipHandlers(
  membership: Pick<MembershipService, 'membersChanged' | 'settingsChanged' | 'rulesChanged'>,
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
    on(roomMemberSilenced, async (event) => membership.settingsChanged(event.room_id, [event.user_id])),
    on(roomRulesChanged, (event) => membership.rulesChanged(event.room_id)),
    on(roomMuteChanged, async (event) => membership.settingsChanged(event.room_id, [event.user_id])),
  ]
}

import {
  type EventOf,
  friendNoteChanged,
  friendRemoved,
  friendRequestAccepted,
  friendRequestCancelled,
  friendRequestRejected,
  friendRequestSent,
  pairStateAnnounced,
  userBlocked,
  userDeleted,
  userModerated,
  userRegistered,
  userRestricted,
  userUnblocked,
  userUnrestricted,
  userUpdated,
} from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import type { ContactRepository } from './contacts.repository.ts'
import type { ContactService } from './contacts.service.ts'
import type { PairFact } from './contacts.ts'
import type { Mute, MutedUsers } from './muted-users.ts'

const contactsGroup = 'chat-service.contacts'
const deletionsGroup = 'chat-service.deletions'

/** Reactions to a new friendship and to the deletion of an account. Must be idempotent. */
export interface ContactReactions {
  openDirectRoom(userId: number, peerId: number, correlationId: string): Promise<unknown>
  leaveAllRooms(userId: number, correlationId: string): Promise<void>
  eraseMessages(userId: number, policy: 'keep' | 'remove'): Promise<void>
}

/** Returns the handlers that maintain the copies in MySQL: one process of the group applies each event once. */
export function contactHandlers(
  repository: ContactRepository,
  reactions: Pick<ContactReactions, 'openDirectRoom'>,
): Subscription[] {
  const consumer = contactsGroup
  return [
    on(userRegistered, (event) =>
      repository.applyName(
        { consumer, event },
        { ...nameOf(event), profileImageUrl: null },
        event.profile_version ?? 0,
      ),
    ),
    on(userUpdated, (event) =>
      repository.applyName(
        { consumer, event },
        { ...nameOf(event), profileImageUrl: event.profile_image_url },
        event.profile_version ?? 0,
      ),
    ),
    on(userModerated, (event) => repository.applyMute({ consumer, event }, muteOf(event))),
    on(friendRequestAccepted, async (event) => {
      const pair = [event.from_user_id, event.to_user_id] as const
      // Stores the friendship first, because a user who sees the room may write in it. Creates the room also for an event
      // that was applied before, because the process may have died in between.
      const outcome = await repository.applyPairFact({ consumer, event }, factOfAccepted(event))
      // The two topics have no common order: the deletion may have been applied before.
      if (outcome !== 'ignored' && !(await repository.anyGone(pair)))
        await reactions.openDirectRoom(...pair, event.correlation_id)
      return outcome
    }),
    on(friendRequestSent, (event) =>
      repository.noteRequests({ consumer, event }, [event.from_user_id, event.to_user_id]),
    ),
    on(friendNoteChanged, (event) => repository.noteRequests({ consumer, event }, [event.user_id])),
    on(friendRequestCancelled, (event) =>
      repository.noteRequests({ consumer, event }, [event.from_user_id, event.to_user_id]),
    ),
    // A rejection is silent: its sender must not notice it.
    on(friendRequestRejected, (event) => repository.noteRequests({ consumer, event }, [event.to_user_id])),
    on(friendRemoved, (event) => repository.applyPairFact({ consumer, event }, factOfRemoved(event))),
    on(userBlocked, (event) => repository.applyPairFact({ consumer, event }, factOfBlocked(event))),
    on(userUnblocked, (event) => repository.applyPairFact({ consumer, event }, factOfUnblocked(event))),
    on(userRestricted, (event) =>
      repository.applyPairFact({ consumer, event }, factOfRestriction('restricted', event)),
    ),
    on(userUnrestricted, (event) =>
      repository.applyPairFact({ consumer, event }, factOfRestriction('unrestricted', event)),
    ),
    on(pairStateAnnounced, (event) => repository.applyPairFact({ consumer, event }, factOfState(event))),
  ]
}

/**
 * Returns the handler that erases a deleted account. In a separate group, because erasing takes long and
 * names must not wait for it. Restarts after an interruption, since the event counts as applied only after
 * the last step.
 */
export function deletionHandlers(repository: ContactRepository, reactions: ContactReactions): Subscription[] {
  const consumer = deletionsGroup
  return [
    on(userDeleted, async (event, ctx) => {
      if (await repository.wasApplied({ consumer, event })) return 'duplicate'
      const { user_id: userId, message_policy: policy, deletion_id: deletionId } = event
      // First, because later system messages (that the user left, for instance) must not contain the name.
      await repository.markGone({ consumer, event }, userId)
      await reactions.leaveAllRooms(userId, event.correlation_id)
      await reactions.eraseMessages(userId, policy)
      const outcome = await repository.applyErasure({ consumer, event }, userId, deletionId)
      ctx.log.info({ user_id: userId, deletion_id: deletionId }, 'account forgotten')
      return outcome
    }),
  ]
}

/** Returns the handlers that update this process's memory; every process receives every event. */
export function liveContactHandlers(contacts: ContactService, muted: MutedUsers): Subscription[] {
  return [
    on(userModerated, async (event) => muted.note(muteOf(event))),
    on(friendRequestAccepted, async (event) => contacts.noteFact(factOfAccepted(event))),
    on(friendRemoved, async (event) => contacts.noteFact(factOfRemoved(event))),
    on(userBlocked, async (event) => contacts.noteFact(factOfBlocked(event))),
    on(userUnblocked, async (event) => contacts.noteFact(factOfUnblocked(event))),
    on(userRestricted, async (event) => contacts.noteFact(factOfRestriction('restricted', event))),
    on(userUnrestricted, async (event) => contacts.noteFact(factOfRestriction('unrestricted', event))),
    on(pairStateAnnounced, async (event) => contacts.noteFact(factOfState(event))),
    on(userDeleted, async (event) => contacts.noteGone(event.user_id)),
  ]
}

function muteOf(event: { user_id: number; muted_until: string | null; decision_id: number }): Mute {
  const { user_id: userId, muted_until: until, decision_id: decisionId } = event
  return { userId, mutedUntil: until === null ? null : new Date(until), decisionId }
}

function nameOf(event: { user_id: number; username: string; display_name: string }) {
  return { userId: event.user_id, username: event.username, displayName: event.display_name }
}

interface PairVersion {
  readonly pair_version?: number | undefined
}

function factOfAccepted(event: PairVersion & { from_user_id: number; to_user_id: number }): PairFact {
  return { kind: 'befriended', a: event.from_user_id, b: event.to_user_id, version: event.pair_version }
}

function factOfRemoved(event: PairVersion & { user_id: number; friend_id: number }): PairFact {
  return { kind: 'unfriended', a: event.user_id, b: event.friend_id, version: event.pair_version }
}

function factOfBlocked(event: PairVersion & { blocker_id: number; blocked_id: number }): PairFact {
  return {
    kind: 'blocked',
    blocker: event.blocker_id,
    blocked: event.blocked_id,
    version: event.pair_version,
  }
}

function factOfUnblocked(event: PairVersion & { blocker_id: number; blocked_id: number }): PairFact {
  return {
    kind: 'unblocked',
    blocker: event.blocker_id,
    blocked: event.blocked_id,
    version: event.pair_version,
  }
}

function factOfRestriction(
  kind: 'restricted' | 'unrestricted',
  event: PairVersion & { restricter_id: number; restricted_id: number },
): PairFact {
  return {
    kind,
    restricter: event.restricter_id,
    restricted: event.restricted_id,
    version: event.pair_version,
  }
}

function factOfState(event: EventOf<typeof pairStateAnnounced>): PairFact {
  return {
    kind: 'stated',
    pair: {
      low: event.user_low,
      high: event.user_high,
      friends: event.friends,
      lowBlocksHigh: event.low_blocks_high,
      highBlocksLow: event.high_blocks_low,
      lowRestrictsHigh: event.low_restricts_high ?? false,
      highRestrictsLow: event.high_restricts_low ?? false,
    },
    version: event.pair_version,
  }
}

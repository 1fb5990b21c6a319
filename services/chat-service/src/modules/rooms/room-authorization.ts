import { Problem, StoreUnavailable } from '@bigtech/service-kit'
import type { HistoryStart, Membership } from '../membership/membership.ports.ts'
import type { RoomHeads } from '../messages/messages.ports.ts'
import { type RoomAction, roleAllows, roleFor } from './room.ts'
import type { RoomRecord } from './room-record.ts'
import type { RoomTransaction } from './room-transaction.repository.ts'

/** Rejects direct rooms. @throws Problem ROOM_IS_DIRECT, because a 1:1 room cannot be managed */
export function assertGroup({ roomType }: Pick<Membership, 'roomType'>): void {
  if (roomType === 'direct') throw new Problem('ROOM_IS_DIRECT')
}

/**
 * Locks the group and checks the user's current role: the cached role may be stale, and the following change
 * is permanent.
 */
export async function lockGroup(
  tx: RoomTransaction,
  roomId: number,
  userId: number,
  action: RoomAction,
): Promise<RoomRecord & { readonly role: Membership['role'] }> {
  const room = await tx.lock(roomId)
  if (!room) throw new Problem('ROOM_NOT_FOUND')
  const role = await tx.roleOf(roomId, userId)
  if (!role) throw new Problem('NOT_A_MEMBER')
  assertGroup(room)
  if (!roleAllows(role, action)) throw roleRequired(action)
  return { ...room, role }
}

/** Returns the problem that names the required role. */
export function roleRequired(action: RoomAction): Problem {
  return new Problem('ROLE_REQUIRED', { detail: `Requires the ${roleFor(action)} role.` })
}

/** Returns the head of a room, read before the room is locked; undefined while the message store is unavailable. */
export async function recentHead(
  roomId: number,
  heads: Pick<RoomHeads, 'headSeq'>,
): Promise<number | undefined> {
  try {
    return await heads.headSeq(roomId)
  } catch (err) {
    if (err instanceof StoreUnavailable) return undefined
    throw err
  }
}

/**
 * Returns the history start of a new member of a locked room. Visibility is exact; the unread count starts at
 * the head from before the lock, so that the lock is not held while reading messages.
 */
export async function historyStartOf(
  room: Pick<RoomRecord, 'roomId' | 'historyVisibility' | 'lastSeq'>,
  heads: Pick<RoomHeads, 'headSeq'>,
  headBefore: number | undefined,
): Promise<HistoryStart> {
  if (room.historyVisibility === 'all')
    return { visibleFromSeq: 1, joinedSeq: Math.max(room.lastSeq, headBefore ?? 0) }
  const head = await heads.headSeq(room.roomId)
  return { visibleFromSeq: head + 1, joinedSeq: head }
}

/** Names the listed people who cannot be added. The reason is withheld for privacy. */
export function notAddable(listed: readonly number[], refused: readonly number[]): Problem {
  const errors = listed.flatMap((userId, index) =>
    refused.includes(userId) ? [{ field: `member_ids.${index}`, message: 'Cannot be added.' }] : [],
  )
  return new Problem('MEMBER_NOT_ADDABLE', { errors })
}

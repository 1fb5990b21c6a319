import type { Transaction } from '../../infrastructure/mysql.ts'
import { skeletonDigest, usernameKey } from '../account/username.ts'
import type { UserEventType, UserState } from './user-history.ts'

export type UserRow = Awaited<ReturnType<Transaction['user']['findUniqueOrThrow']>>

/**
 * Changes a user's row and appends the event of the change. All changes of fields in the history must use this function: a replay
 * would undo any other write.
 *
 * @param isPublished raises the version of the row, by which neighbors order profiles
 */
export async function changeUser(
  tx: Transaction,
  userId: number,
  type: UserEventType,
  data: Partial<UserState>,
  { isPublished = false } = {},
): Promise<UserRow> {
  const row = await tx.user.update({
    where: { id: userId },
    data: { ...data, ...derivedOf(userId, data), ...(isPublished ? { version: { increment: 1 } } : {}) },
  })
  await appendUserEvent(tx, userId, type, data)
  return row
}

/** Appends an event for a change that the caller has made, in the same transaction and with the row locked. Raw: part of every sign-in. */
export async function appendUserEvent(
  tx: Transaction,
  userId: number,
  type: UserEventType,
  data: Partial<UserState>,
): Promise<void> {
  await tx.$executeRaw`INSERT INTO user_events (user_id, type, data, created_at)
    VALUES (${userId}, ${type}, ${JSON.stringify(data)}, ${new Date()})`
}

/** Returns the columns that follow from the username. Of an erased account the skeleton stays, to reserve the name. */
export function derivedOf(
  userId: number,
  { username, status }: Pick<Partial<UserState>, 'username' | 'status'>,
): { usernameKey?: string; usernameSkeleton?: Uint8Array<ArrayBuffer> } {
  if (username === undefined) return {}
  if (status === 'deleted') return { usernameKey: `deleted:${userId}` }
  return { usernameKey: usernameKey(username), usernameSkeleton: skeletonDigest(username) }
}

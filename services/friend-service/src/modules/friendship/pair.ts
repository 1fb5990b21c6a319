/** The relation of two users. The pair is unordered; its two users are `low` and `high` by id. */

export type Side = 'low' | 'high'

/**
 * State of the latest request between the two:
 * - `open`: both see it
 * - `rejected`, `withheld`: its sender still sees it as pending, its receiver does not. Withheld means
 *   that the receiver never saw it, because they rejected an earlier one
 * - `accepted`, `cancelled`, `expired`, `void`: ended. Void means that its receiver blocked the sender
 */
export type RequestState = 'open' | 'rejected' | 'withheld' | 'accepted' | 'cancelled' | 'expired' | 'void'

export interface Request {
  readonly id: number
  readonly from: Side
  readonly state: RequestState
  readonly sentAt: number
  readonly expiresAt: number
}

export interface Pair {
  readonly request: Request | null
  readonly friendsSince: number | null
  /** When this side blocked the other. */
  readonly blockedAt: Readonly<Record<Side, number | null>>
  /** When this side restricted the other: affects messages and presence only, so no rule here depends on it. */
  readonly restrictedAt: Readonly<Record<Side, number | null>>
  /** End of the period in which requests from this side are withheld, because the other side rejected one. */
  readonly quietUntil: Readonly<Record<Side, number | null>>
}

export type PairStatus = 'none' | 'pending' | 'friends'

/** The initial state of a pair. */
export const strangers: Pair = {
  request: null,
  friendsSince: null,
  blockedAt: { low: null, high: null },
  restrictedAt: { low: null, high: null },
  quietUntil: { low: null, high: null },
}

/** Returns the other side. */
export function otherSide(side: Side): Side {
  return side === 'low' ? 'high' : 'low'
}

/** Returns the side of `userId` in the pair. */
export function sideOf(userId: number, otherId: number): Side {
  return userId < otherId ? 'low' : 'high'
}

/** Returns the status for lists; a request that its sender sees as pending is pending. */
export function statusOf(pair: Pair): PairStatus {
  if (pair.friendsSince !== null) return 'friends'
  return isPending(pair.request) ? 'pending' : 'none'
}

/** Returns true while the sender of the request sees it as pending. */
export function isPending(request: Request | null): request is Request {
  return request !== null && ['open', 'rejected', 'withheld'].includes(request.state)
}

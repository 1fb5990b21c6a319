/**
 * What two users are to each other, and every way in which that changes. Pure: no clock, no
 * store, no library. The pair is unordered; its two users are `low` and `high` by id.
 */

export type Side = 'low' | 'high'

/**
 * Of the latest request between the two:
 * - `open`: both see it
 * - `rejected`, `withheld`: its sender still sees it as pending, its receiver does not. Withheld
 *   means that the receiver never saw it, as they rejected an earlier one
 * - `accepted`, `cancelled`, `expired`, `void`: over. Void means that its receiver blocked the sender
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
  /** When this side blocked the other one. */
  readonly blockedAt: Readonly<Record<Side, number | null>>
  /** Requests from this side are withheld until then: the other side rejected one. */
  readonly quietUntil: Readonly<Record<Side, number | null>>
}

export type PairStatus = 'none' | 'pending' | 'friends'

export type Action =
  | {
      readonly type: 'send'
      readonly by: Side
      readonly newRequestId: number
      readonly pendingOut: number
      /** The receiver takes no requests of this sender. */
      readonly isClosed?: boolean
    }
  | { readonly type: 'accept' | 'reject' | 'cancel'; readonly by: Side; readonly requestId: number }
  | { readonly type: 'remove' | 'block' | 'unblock'; readonly by: Side }
  | { readonly type: 'expire' }

export type PairEvent =
  | {
      readonly type: 'FriendRequestSent' | 'FriendRequestAccepted' | 'FriendRequestRejected'
      readonly requestId: number
      readonly from: Side
    }
  | {
      readonly type: 'FriendRequestCancelled'
      readonly requestId: number
      readonly from: Side
      readonly reason: 'cancelled' | 'expired'
    }
  | { readonly type: 'FriendRemoved' | 'UserBlocked' | 'UserUnblocked'; readonly by: Side }

type Refusal =
  | 'USER_NOT_FOUND'
  | 'FRIEND_REQUEST_EXISTS'
  | 'ALREADY_FRIENDS'
  | 'FRIEND_REQUEST_REFUSED'
  | 'FRIEND_REQUESTS_CLOSED'
  | 'FRIEND_REQUEST_LIMIT'
  | 'FRIEND_REQUEST_NOT_FOUND'
  | 'FRIENDSHIP_NOT_FOUND'

export type Decision =
  | { readonly ok: true; readonly pair: Pair; readonly events: readonly PairEvent[] }
  | { readonly ok: false; readonly refusal: Refusal }

export const REQUEST_LIFETIME_MS = 30 * 24 * 60 * 60 * 1_000
export const MAX_PENDING_OUT = 50

/** Two users who have never had anything to do with each other. */
export const strangers: Pair = {
  request: null,
  friendsSince: null,
  blockedAt: { low: null, high: null },
  quietUntil: { low: null, high: null },
}

/** The other user of the pair. */
export function otherSide(side: Side): Side {
  return side === 'low' ? 'high' : 'low'
}

/** Which side of the pair `userId` is. */
export function sideOf(userId: number, otherId: number): Side {
  return userId < otherId ? 'low' : 'high'
}

/** As the pair's lists know it; a request that its sender sees as pending is pending. */
export function statusOf(pair: Pair): PairStatus {
  if (pair.friendsSince !== null) return 'friends'
  return isPending(pair.request) ? 'pending' : 'none'
}

/** What an action makes of a pair: the new pair and what others must hear, or why not. */
export function decide(stored: Pair, action: Action, now: number): Decision {
  const { pair, events } = expired(stored, now)
  const decision = actOn(pair, action, now)
  return decision.ok ? { ...decision, events: [...events, ...decision.events] } : decision
}

function actOn(pair: Pair, action: Action, now: number): Decision {
  if (action.type !== 'expire' && pair.blockedAt[otherSide(action.by)] !== null) {
    const refusal = refusalForBlocked[action.type]
    if (refusal) return refuse(refusal)
  }
  switch (action.type) {
    case 'send':
      return send(pair, action, now)
    case 'accept':
      return accept(pair, action, now)
    case 'reject':
      return reject(pair, action)
    case 'cancel':
      return cancel(pair, action)
    case 'remove':
      return remove(pair, action.by)
    case 'block':
      return block(pair, action.by, now)
    case 'unblock':
      return unblock(pair, action.by)
    case 'expire':
      return unchanged(pair)
  }
}

/**
 * What the blocked hear: exactly what they would hear had the other account been deleted. Blocking back and
 * unblocking are allowed; both are answered for a deleted account, too.
 */
const refusalForBlocked: Partial<Record<Action['type'], Refusal>> = {
  send: 'USER_NOT_FOUND',
  accept: 'FRIEND_REQUEST_NOT_FOUND',
  reject: 'FRIEND_REQUEST_NOT_FOUND',
  cancel: 'FRIEND_REQUEST_NOT_FOUND',
  remove: 'FRIENDSHIP_NOT_FOUND',
}

function send(pair: Pair, action: Action & { type: 'send' }, now: number): Decision {
  const { by, newRequestId, pendingOut } = action
  if (pair.blockedAt[by] !== null) return refuse('FRIEND_REQUEST_REFUSED')
  if (pair.friendsSince !== null) return refuse('ALREADY_FRIENDS')
  const { request } = pair
  if (isPending(request)) {
    if (request.from === by) return refuse('FRIEND_REQUEST_EXISTS')
    // Both want it, whether or not this side has seen (or once rejected) the other's request.
    return befriend(pair, request, now)
  }
  if (action.isClosed) return refuse('FRIEND_REQUESTS_CLOSED')
  if (pendingOut >= MAX_PENDING_OUT) return refuse('FRIEND_REQUEST_LIMIT')
  const withheld = (pair.quietUntil[by] ?? 0) > now
  const sent: Request = {
    id: newRequestId,
    from: by,
    state: withheld ? 'withheld' : 'open',
    sentAt: now,
    expiresAt: now + REQUEST_LIFETIME_MS,
  }
  const event: PairEvent = { type: 'FriendRequestSent', requestId: sent.id, from: by }
  return changed({ ...pair, request: sent }, withheld ? [] : [event])
}

function accept(
  pair: Pair,
  { by, requestId }: { readonly by: Side; readonly requestId: number },
  now: number,
): Decision {
  const { request } = pair
  if (request?.id !== requestId || request.from === by) return refuse('FRIEND_REQUEST_NOT_FOUND')
  if (request.state === 'open') return befriend(pair, request, now)
  if (request.state === 'accepted' && pair.friendsSince !== null) return unchanged(pair)
  return refuse('FRIEND_REQUEST_NOT_FOUND')
}

function reject(pair: Pair, { by, requestId }: { readonly by: Side; readonly requestId: number }): Decision {
  const { request } = pair
  if (request?.id !== requestId || request.from === by) return refuse('FRIEND_REQUEST_NOT_FOUND')
  if (request.state === 'rejected') return unchanged(pair)
  if (request.state !== 'open') return refuse('FRIEND_REQUEST_NOT_FOUND')
  const event: PairEvent = { type: 'FriendRequestRejected', requestId, from: request.from }
  return changed(
    {
      ...pair,
      request: { ...request, state: 'rejected' },
      // Cancelling and asking again must not reach whoever has just said no.
      quietUntil: { ...pair.quietUntil, [request.from]: request.expiresAt },
    },
    [event],
  )
}

function cancel(pair: Pair, { by, requestId }: { readonly by: Side; readonly requestId: number }): Decision {
  const { request } = pair
  if (request?.id !== requestId || request.from !== by) return refuse('FRIEND_REQUEST_NOT_FOUND')
  if (request.state === 'cancelled') return unchanged(pair)
  if (!isPending(request)) return refuse('FRIEND_REQUEST_NOT_FOUND')
  return changed({ ...pair, request: { ...request, state: 'cancelled' } }, endOfRequest(request, 'cancelled'))
}

function remove(pair: Pair, by: Side): Decision {
  if (pair.friendsSince !== null) {
    return changed({ ...pair, friendsSince: null }, [{ type: 'FriendRemoved', by }])
  }
  // They were friends: whoever asks twice, or after the other one, has what they want.
  if (pair.request?.state === 'accepted') return unchanged(pair)
  return refuse('FRIENDSHIP_NOT_FOUND')
}

function block(pair: Pair, by: Side, now: number): Decision {
  if (pair.blockedAt[by] !== null) return unchanged(pair)
  const { request } = pair
  const events: PairEvent[] = []
  let kept = request
  if (pair.friendsSince !== null) events.push({ type: 'FriendRemoved', by })
  if (isPending(request) && request.from === by) {
    kept = { ...request, state: 'cancelled' }
    events.push(...endOfRequest(request, 'cancelled'))
  } else if (isPending(request)) {
    if (request.state === 'open') {
      events.push({ type: 'FriendRequestRejected', requestId: request.id, from: request.from })
    }
    // Gone from its sender's list, as when the receiver's account is deleted.
    kept = { ...request, state: 'void' }
  }
  events.push({ type: 'UserBlocked', by })
  const blockedAt = { ...pair.blockedAt, [by]: now }
  return changed({ ...pair, request: kept, friendsSince: null, blockedAt }, events)
}

function unblock(pair: Pair, by: Side): Decision {
  if (pair.blockedAt[by] === null) return unchanged(pair)
  return changed({ ...pair, blockedAt: { ...pair.blockedAt, [by]: null } }, [{ type: 'UserUnblocked', by }])
}

function befriend(pair: Pair, request: Request, now: number): Decision {
  const event: PairEvent = { type: 'FriendRequestAccepted', requestId: request.id, from: request.from }
  return changed(
    {
      ...pair,
      request: { ...request, state: 'accepted' },
      friendsSince: now,
      quietUntil: { low: null, high: null },
    },
    [event],
  )
}

/** Nobody has to run for a request to expire: every action looks at the clock first. */
function expired(pair: Pair, now: number): { pair: Pair; events: readonly PairEvent[] } {
  const { request } = pair
  if (!isPending(request) || request.expiresAt > now) return { pair, events: [] }
  return {
    pair: { ...pair, request: { ...request, state: 'expired' } },
    events: endOfRequest(request, 'expired'),
  }
}

/** The receiver of a hidden request, and everybody else, has already heard that it is over. */
function endOfRequest(request: Request, reason: 'cancelled' | 'expired'): readonly PairEvent[] {
  if (request.state !== 'open') return []
  return [{ type: 'FriendRequestCancelled', requestId: request.id, from: request.from, reason }]
}

/** Returns what the other one of a pair hears when the account of this side is deleted: what vanishes from their lists. */
export function eventsOfErasure({ friendsSince, request }: Pair, erased: Side): readonly PairEvent[] {
  const events: PairEvent[] = []
  if (friendsSince !== null) events.push({ type: 'FriendRemoved', by: erased })
  if (isPending(request) && (request.state === 'open' || request.from !== erased)) {
    const { id: requestId, from } = request
    events.push({ type: 'FriendRequestCancelled', requestId, from, reason: 'cancelled' })
  }
  return events
}

function isPending(request: Request | null): request is Request {
  return request !== null && ['open', 'rejected', 'withheld'].includes(request.state)
}

function changed(pair: Pair, events: readonly PairEvent[]): Decision {
  return { ok: true, pair, events }
}

function unchanged(pair: Pair): Decision {
  return { ok: true, pair, events: [] }
}

function refuse(refusal: Refusal): Decision {
  return { ok: false, refusal }
}

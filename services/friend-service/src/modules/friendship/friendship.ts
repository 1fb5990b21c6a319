/** The transitions of the relation of two users. Pure: no clock, no store, no library. */

import { isPending, otherSide, type Pair, type Request, type Side } from './pair.ts'

export type Action =
  | {
      readonly type: 'send'
      readonly by: Side
      readonly newRequestId: number
      readonly pendingOut: number
      /** Whether the receiver's settings reject requests of this sender. */
      readonly isClosed?: boolean
    }
  | { readonly type: 'accept' | 'reject' | 'cancel'; readonly by: Side; readonly requestId: number }
  | { readonly type: 'remove' | 'block' | 'unblock' | 'restrict' | 'unrestrict'; readonly by: Side }
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
  | {
      readonly type: 'FriendRemoved' | 'UserBlocked' | 'UserUnblocked' | 'UserRestricted' | 'UserUnrestricted'
      readonly by: Side
    }

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

/** Decides an action: returns the new pair and its events, or the reason for a rejection. */
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
    case 'restrict':
      return restrict(pair, action.by, now)
    case 'unrestrict':
      return unrestrict(pair, action.by)
    case 'expire':
      return unchanged(pair)
  }
}

/**
 * Responses to a blocked user, identical to those for a deleted account. Blocking back, restricting and
 * their opposites are allowed, as they are for a deleted account.
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
    // Both users want the friendship, even if this side has not seen, or once rejected, the other's request.
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
      // Cancelling and repeating must not reach a user who has just rejected the request.
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
  // They are friends already: a repeated or crossing accept has the intended result.
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
    // Removed from its sender's list, as when the receiver's account is deleted.
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

function restrict(pair: Pair, by: Side, now: number): Decision {
  if (pair.restrictedAt[by] !== null) return unchanged(pair)
  const restrictedAt = { ...pair.restrictedAt, [by]: now }
  return changed({ ...pair, restrictedAt }, [{ type: 'UserRestricted', by }])
}

function unrestrict(pair: Pair, by: Side): Decision {
  if (pair.restrictedAt[by] === null) return unchanged(pair)
  const restrictedAt = { ...pair.restrictedAt, [by]: null }
  return changed({ ...pair, restrictedAt }, [{ type: 'UserUnrestricted', by }])
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

/** Returns the pair after expiry: every action applies it first, so expiry needs no job. */
function expired(pair: Pair, now: number): { pair: Pair; events: readonly PairEvent[] } {
  const { request } = pair
  if (!isPending(request) || request.expiresAt > now) return { pair, events: [] }
  return {
    pair: { ...pair, request: { ...request, state: 'expired' } },
    events: endOfRequest(request, 'expired'),
  }
}

/** Returns the events of the end of a request; the receiver of a hidden request was already notified. */
function endOfRequest(request: Request, reason: 'cancelled' | 'expired'): readonly PairEvent[] {
  if (request.state !== 'open') return []
  return [{ type: 'FriendRequestCancelled', requestId: request.id, from: request.from, reason }]
}

/** Returns the events for the other user when the account of this side is deleted: what disappears from their lists. */
export function eventsOfErasure({ friendsSince, request }: Pair, erased: Side): readonly PairEvent[] {
  const events: PairEvent[] = []
  if (friendsSince !== null) events.push({ type: 'FriendRemoved', by: erased })
  if (isPending(request) && (request.state === 'open' || request.from !== erased)) {
    const { id: requestId, from } = request
    events.push({ type: 'FriendRequestCancelled', requestId, from, reason: 'cancelled' })
  }
  return events
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

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Action, type Decision, decide, MAX_PENDING_OUT, REQUEST_LIFETIME_MS } from './friendship.ts'
import { type Pair, type Side, statusOf, strangers } from './pair.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const OVER = NOW + REQUEST_LIFETIME_MS

const send = (by: Side, newRequestId = 1, pendingOut = 0): Action => ({
  type: 'send',
  by,
  newRequestId,
  pendingOut,
})
const answer = (type: 'accept' | 'reject' | 'cancel', by: Side, requestId = 1): Action => ({
  type,
  by,
  requestId,
})
const act = (type: 'remove' | 'block' | 'unblock' | 'restrict' | 'unrestrict', by: Side): Action => ({
  type,
  by,
})

/** Applies actions that must all be allowed, and returns the pair. */
function after(...actions: Action[]): Pair {
  return actions.reduce((pair, action) => {
    const decision = decide(pair, action, NOW)
    if (!decision.ok) throw new Error(`${action.type}: ${decision.refusal}`)
    return decision.pair
  }, strangers)
}
const types = (decision: Decision) =>
  decision.ok ? decision.events.map(({ type }) => type) : decision.refusal

const none = strangers
const pending = after(send('low'))
const rejected = after(send('low'), answer('reject', 'high'))
const friends = after(send('low'), answer('accept', 'high'))
const unfriended = after(send('low'), answer('accept', 'high'), act('remove', 'low'))
const blockedByHigh = after(act('block', 'high'))
const withheld = after(send('low'), answer('reject', 'high'), answer('cancel', 'low'), send('low', 2))
const voided = after(send('low'), act('block', 'high'))
const madeUp = after(send('low'), answer('reject', 'high'), send('high', 2), act('remove', 'high'))
const rejectedAndCancelled = after(send('low'), answer('reject', 'high'), answer('cancel', 'low'))

describe('the effect of an action on a pair', () => {
  it.each<[string, Pair, Action, string | string[], string?]>([
    // --- send
    ['strangers: send', none, send('low'), ['FriendRequestSent'], 'pending'],
    ['pending: send again', pending, send('low', 2), 'FRIEND_REQUEST_EXISTS'],
    [
      'pending: a crossing request is an accept',
      pending,
      send('high', 2),
      ['FriendRequestAccepted'],
      'friends',
    ],
    ['rejected: its sender sends again', rejected, send('low', 2), 'FRIEND_REQUEST_EXISTS'],
    ['rejected: who rejected it sends', rejected, send('high', 2), ['FriendRequestAccepted'], 'friends'],
    [
      'rejected, then cancelled: sending again is silent',
      rejectedAndCancelled,
      send('low', 2),
      [],
      'pending',
    ],
    ['friends: send', friends, send('high', 2), 'ALREADY_FRIENDS'],
    ['unfriended: send', unfriended, send('high', 2), ['FriendRequestSent'], 'pending'],
    ['blocked: the blocked sends', blockedByHigh, send('low', 2), 'USER_NOT_FOUND'],
    ['withheld: send again', withheld, send('low', 3), 'FRIEND_REQUEST_EXISTS'],
    [
      'blocked by both: send',
      after(act('block', 'high'), act('block', 'low')),
      send('low'),
      'USER_NOT_FOUND',
    ],
    ['blocked: the blocker sends', blockedByHigh, send('high', 2), 'FRIEND_REQUEST_REFUSED'],
    ['strangers: send with 50 pending', none, send('low', 1, MAX_PENDING_OUT), 'FRIEND_REQUEST_LIMIT'],
    [
      'pending: crossing with 50 pending',
      pending,
      send('high', 2, MAX_PENDING_OUT),
      ['FriendRequestAccepted'],
      'friends',
    ],
    [
      'rejected once, then friends: send reaches the receiver again',
      madeUp,
      send('low', 3),
      ['FriendRequestSent'],
      'pending',
    ],
    // --- accept
    ['pending: accept', pending, answer('accept', 'high'), ['FriendRequestAccepted'], 'friends'],
    ['pending: the sender accepts', pending, answer('accept', 'low'), 'FRIEND_REQUEST_NOT_FOUND'],
    ['pending: accept another request', pending, answer('accept', 'high', 9), 'FRIEND_REQUEST_NOT_FOUND'],
    ['friends: accept again', friends, answer('accept', 'high'), [], 'friends'],
    ['unfriended: accept again', unfriended, answer('accept', 'high'), 'FRIEND_REQUEST_NOT_FOUND'],
    ['rejected: accept', rejected, answer('accept', 'high'), 'FRIEND_REQUEST_NOT_FOUND'],
    ['withheld: accept', withheld, answer('accept', 'high', 2), 'FRIEND_REQUEST_NOT_FOUND'],
    // --- reject
    ['pending: reject', pending, answer('reject', 'high'), ['FriendRequestRejected'], 'pending'],
    ['pending: the sender rejects', pending, answer('reject', 'low'), 'FRIEND_REQUEST_NOT_FOUND'],
    ['rejected: reject again', rejected, answer('reject', 'high'), [], 'pending'],
    ['friends: reject', friends, answer('reject', 'high'), 'FRIEND_REQUEST_NOT_FOUND'],
    ['withheld: reject', withheld, answer('reject', 'high', 2), 'FRIEND_REQUEST_NOT_FOUND'],
    // --- cancel
    ['pending: cancel', pending, answer('cancel', 'low'), ['FriendRequestCancelled'], 'none'],
    ['pending: the receiver cancels', pending, answer('cancel', 'high'), 'FRIEND_REQUEST_NOT_FOUND'],
    ['rejected: cancel is silent', rejected, answer('cancel', 'low'), [], 'none'],
    ['withheld: cancel is silent', withheld, answer('cancel', 'low', 2), [], 'none'],
    ['void: cancel', voided, answer('cancel', 'low'), 'FRIEND_REQUEST_NOT_FOUND'],
    ['cancelled: cancel again', rejectedAndCancelled, answer('cancel', 'low'), [], 'none'],
    ['friends: cancel', friends, answer('cancel', 'low'), 'FRIEND_REQUEST_NOT_FOUND'],
    // --- remove
    ['friends: remove', friends, act('remove', 'high'), ['FriendRemoved'], 'none'],
    ['unfriended: remove again', unfriended, act('remove', 'high'), [], 'none'],
    ['strangers: remove', none, act('remove', 'high'), 'FRIENDSHIP_NOT_FOUND'],
    ['pending: remove', pending, act('remove', 'high'), 'FRIENDSHIP_NOT_FOUND'],
    // --- block, unblock
    ['strangers: block', none, act('block', 'low'), ['UserBlocked'], 'none'],
    ['friends: block severs', friends, act('block', 'low'), ['FriendRemoved', 'UserBlocked'], 'none'],
    [
      'pending: its sender blocks',
      pending,
      act('block', 'low'),
      ['FriendRequestCancelled', 'UserBlocked'],
      'none',
    ],
    [
      'pending: its receiver blocks',
      pending,
      act('block', 'high'),
      ['FriendRequestRejected', 'UserBlocked'],
      'none',
    ],
    ['rejected: its receiver blocks', rejected, act('block', 'high'), ['UserBlocked'], 'none'],
    ['withheld: its receiver blocks', withheld, act('block', 'high'), ['UserBlocked'], 'none'],
    ['blocked: block again', blockedByHigh, act('block', 'high'), [], 'none'],
    ['blocked: the blocked blocks too', blockedByHigh, act('block', 'low'), ['UserBlocked'], 'none'],
    ['blocked: unblock', blockedByHigh, act('unblock', 'high'), ['UserUnblocked'], 'none'],
    ['blocked: the blocked unblocks', blockedByHigh, act('unblock', 'low'), [], 'none'],
    ['void: unblock does not restore', voided, act('unblock', 'high'), ['UserUnblocked'], 'none'],
    [
      'unblocked: send',
      after(send('low'), act('block', 'high'), act('unblock', 'high')),
      send('low', 2),
      ['FriendRequestSent'],
      'pending',
    ],
    ['friends: restrict', friends, act('restrict', 'high'), ['UserRestricted'], 'friends'],
    ['strangers: restrict', none, act('restrict', 'low'), ['UserRestricted'], 'none'],
    ['restricted: restrict again', after(act('restrict', 'low')), act('restrict', 'low'), [], 'none'],
    [
      'restricted: the restricted user restricts too',
      after(act('restrict', 'low')),
      act('restrict', 'high'),
      ['UserRestricted'],
      'none',
    ],
    [
      'restricted: stop restricting',
      after(act('restrict', 'low')),
      act('unrestrict', 'low'),
      ['UserUnrestricted'],
      'none',
    ],
    [
      'restricted: the restricted user stops restricting',
      after(act('restrict', 'low')),
      act('unrestrict', 'high'),
      [],
      'none',
    ],
    ['restricted: block', after(act('restrict', 'low')), act('block', 'low'), ['UserBlocked'], 'none'],
    ['blocked: the blocked restricts', blockedByHigh, act('restrict', 'low'), ['UserRestricted'], 'none'],
    ['strangers: unblock', none, act('unblock', 'low'), [], 'none'],
    ['pending: expire before its time', pending, { type: 'expire' }, [], 'pending'],
  ])('%s', (_case, pair, action, expected, status) => {
    const decision = decide(pair, action, NOW)
    expect(types(decision)).toEqual(expected)
    if (decision.ok) expect(statusOf(decision.pair)).toBe(status)
  })

  it('a request expires by the clock alone, and the next action reports the expiry first', () => {
    const decision = decide(pending, send('high', 2), OVER)
    expect(types(decision)).toEqual(['FriendRequestCancelled', 'FriendRequestSent'])
    expect(types(decide(pending, answer('accept', 'high'), OVER))).toBe('FRIEND_REQUEST_NOT_FOUND')
    expect(types(decide(pending, { type: 'expire' }, OVER))).toEqual(['FriendRequestCancelled'])
  })

  it('a request hidden from its receiver expires silently', () => {
    expect(types(decide(rejected, { type: 'expire' }, OVER))).toEqual([])
    expect(types(decide(withheld, { type: 'expire' }, OVER))).toEqual([])
  })

  it('a rejection blocks its sender until the request would have expired, and no longer', () => {
    expect(types(decide(rejectedAndCancelled, send('low', 2), OVER - 1))).toEqual([])
    expect(types(decide(rejectedAndCancelled, send('low', 2), OVER))).toEqual(['FriendRequestSent'])
    expect(types(decide(rejectedAndCancelled, send('high', 2), NOW))).toEqual(['FriendRequestSent'])
  })
})

const side = fc.constantFrom<Side>('low', 'high')
const anyAction: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    type: fc.constant('send' as const),
    by: side,
    newRequestId: fc.nat(9),
    pendingOut: fc.nat(51),
  }),
  fc.record({
    type: fc.constantFrom('accept' as const, 'reject' as const, 'cancel' as const),
    by: side,
    requestId: fc.nat(9),
  }),
  fc.record({
    type: fc.constantFrom(
      'remove' as const,
      'block' as const,
      'unblock' as const,
      'restrict' as const,
      'unrestrict' as const,
    ),
    by: side,
  }),
  fc.constant({ type: 'expire' as const }),
)
const history = fc.array(fc.tuple(anyAction, fc.nat(40)), { maxLength: 40 })

/** Returns the pair after a history including rejected actions, and the elapsed time. */
function live(steps: readonly [Action, number][]): { pair: Pair; now: number } {
  let pair = strangers
  let now = NOW
  for (const [action, days] of steps) {
    now += (days > 35 ? days : 0) * 24 * 3_600_000
    const decision = decide(pair, action, now)
    if (decision.ok) pair = decision.pair
  }
  return { pair, now }
}

describe('after any history', () => {
  it('no user is a friend of, or sees a request from, a user they blocked', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { pair } = live(steps)
        const isBlocked = pair.blockedAt.low !== null || pair.blockedAt.high !== null
        if (isBlocked) {
          expect(statusOf(pair)).not.toBe('friends')
          expect(pair.request?.state).not.toBe('open')
        }
      }),
    )
  })

  it('a restriction changes no response to, and no relation of, either user', () => {
    fc.assert(
      fc.property(history, anyAction, side, (steps, action, by) => {
        if (action.type === 'restrict' || action.type === 'unrestrict') return
        const { pair, now } = live(steps)
        const without = decide({ ...pair, restrictedAt: { low: null, high: null } }, action, now)
        const within = decide({ ...pair, restrictedAt: { low: null, high: null, [by]: now } }, action, now)
        expect(types(within)).toEqual(types(without))
        if (within.ok && without.ok)
          expect({ ...within.pair, restrictedAt: 0 }).toEqual({ ...without.pair, restrictedAt: 0 })
      }),
    )
  })

  it('the response to a request does not reveal an earlier rejection', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { pair, now } = live(steps)
        if (pair.blockedAt.low !== null || pair.blockedAt.high !== null || pair.friendsSince !== null) return
        if (pair.request?.from === 'high') return
        const hidden = decide({ ...pair, quietUntil: { low: OVER * 2, high: null } }, send('low', 99), now)
        const seen = decide({ ...pair, quietUntil: { low: null, high: null } }, send('low', 99), now)
        expect(hidden.ok).toBe(seen.ok)
        if (hidden.ok && seen.ok) expect(statusOf(hidden.pair)).toBe(statusOf(seen.pair))
        else expect(hidden).toEqual(seen)
      }),
    )
  })

  it('a blocked user gets the same responses as for a deleted account, and has nothing pending', () => {
    const gone = { send: 'USER_NOT_FOUND', remove: 'FRIENDSHIP_NOT_FOUND' } as Record<string, string>
    fc.assert(
      fc.property(history, anyAction, (steps, action) => {
        const { pair, now } = live([...steps, [act('block', 'high'), 0]])
        expect(statusOf(pair)).toBe('none')
        if (action.type === 'expire' || action.by === 'high') return
        if (['block', 'unblock', 'restrict', 'unrestrict'].includes(action.type)) return
        expect(types(decide(pair, action, now))).toBe(gone[action.type] ?? 'FRIEND_REQUEST_NOT_FOUND')
      }),
    )
  })

  it('repeating the last action changes nothing and publishes nothing', () => {
    fc.assert(
      fc.property(history, anyAction, (steps, action) => {
        const { pair, now } = live(steps)
        const first = decide(pair, action, now)
        if (!first.ok || action.type === 'send') return
        const again = decide(first.pair, action, now)
        expect(again).toEqual({ ok: true, pair: first.pair, events: [] })
      }),
    )
  })
})

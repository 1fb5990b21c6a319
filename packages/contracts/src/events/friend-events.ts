import { z } from 'zod'
import { pairKey, userId } from '../ids.ts'
import { defineEvent } from './define-event.ts'

/**
 * The version of the pair's row that the change made: rises with every change of the pair, so consumers
 * order events by it and never by time stamps. Missing on events of older publishers.
 */
const pairVersion = { pair_version: z.int().positive().optional() }

const requestPayload = z.object({
  request_id: z.int().positive(),
  from_user_id: userId,
  to_user_id: userId,
  ...pairVersion,
})
const byRequestPair = (event: { from_user_id: number; to_user_id: number }) =>
  pairKey(event.from_user_id, event.to_user_id)

const blockPayload = z.object({ blocker_id: userId, blocked_id: userId, ...pairVersion })
const byBlockPair = (event: { blocker_id: number; blocked_id: number }) =>
  pairKey(event.blocker_id, event.blocked_id)

export const friendRequestSent = defineEvent({
  type: 'FriendRequestSent',
  version: 1,
  topic: 'friend.events',
  key: byRequestPair,
  payload: requestPayload,
})

/** They are friends now; chat-service opens their 1:1 room. */
export const friendRequestAccepted = defineEvent({
  type: 'FriendRequestAccepted',
  version: 1,
  topic: 'friend.events',
  key: byRequestPair,
  payload: requestPayload,
})

/** Never shown to the sender: a rejection is silent. */
export const friendRequestRejected = defineEvent({
  type: 'FriendRequestRejected',
  version: 1,
  topic: 'friend.events',
  key: byRequestPair,
  payload: requestPayload,
})

/** The sender took the request back, or it expired. */
export const friendRequestCancelled = defineEvent({
  type: 'FriendRequestCancelled',
  version: 1,
  topic: 'friend.events',
  key: byRequestPair,
  payload: requestPayload.extend({ reason: z.enum(['cancelled', 'expired', 'blocked']) }),
})

/** What a user notes of a friend (nickname, favourite, hidden) has changed; only their own devices hear of it. */
export const friendNoteChanged = defineEvent({
  type: 'FriendNoteChanged',
  version: 1,
  topic: 'friend.events',
  key: (event) => pairKey(event.user_id, event.friend_id),
  payload: z.object({ user_id: userId, friend_id: userId }),
})

export const friendRemoved = defineEvent({
  type: 'FriendRemoved',
  version: 1,
  topic: 'friend.events',
  key: (event) => pairKey(event.user_id, event.friend_id),
  payload: z.object({
    /** Who ended it. */
    user_id: userId,
    friend_id: userId,
    ...pairVersion,
  }),
})

/** Direct messages between the two are refused within 1 s. Never shown to the blocked. */
export const userBlocked = defineEvent({
  type: 'UserBlocked',
  version: 1,
  topic: 'friend.events',
  key: byBlockPair,
  payload: blockPayload,
})

export const userUnblocked = defineEvent({
  type: 'UserUnblocked',
  version: 1,
  topic: 'friend.events',
  key: byBlockPair,
  payload: blockPayload,
})

/**
 * What is between two users, all of it, as it is now. Published when copies have to be repaired (`bigtech republish`);
 * nothing has happened, so nobody is told.
 */
export const pairStateAnnounced = defineEvent({
  type: 'PairStateAnnounced',
  version: 1,
  topic: 'friend.events',
  key: (event) => pairKey(event.user_low, event.user_high),
  payload: z.object({
    user_low: userId,
    user_high: userId,
    friends: z.boolean(),
    low_blocks_high: z.boolean(),
    high_blocks_low: z.boolean(),
    ...pairVersion,
  }),
})

/** Everything friend-service held of a deleted account is gone: a step of the account's deletion. */
export const friendDataErased = defineEvent({
  type: 'FriendDataErased',
  version: 1,
  topic: 'friend.events',
  key: (event) => String(event.user_id),
  payload: z.object({ user_id: userId, deletion_id: z.uuid() }),
})

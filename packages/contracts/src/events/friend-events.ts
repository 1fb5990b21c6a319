import { z } from 'zod'
import { pairKey, userId } from '../ids.ts'
import { defineEvent } from './define-event.ts'

/**
 * The version of the pair's row after the change. Every change of the pair increments it, so consumers
 * order events by version and never by time stamp. Missing on events of older publishers.
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

/** The request was accepted; chat-service opens the 1:1 room of the two friends. */
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

/** The sender cancelled the request, or the request expired. */
export const friendRequestCancelled = defineEvent({
  type: 'FriendRequestCancelled',
  version: 1,
  topic: 'friend.events',
  key: byRequestPair,
  payload: requestPayload.extend({ reason: z.enum(['cancelled', 'expired', 'blocked']) }),
})

/**
 * A user changed their private notes about a friend (nickname, favorite, hidden). Delivered to that user's
 * own devices only.
 */
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
    /** The user who ended the friendship. */
    user_id: userId,
    friend_id: userId,
    ...pairVersion,
  }),
})

/** Chat-service refuses direct messages between the two within 1 s. Never shown to the blocked user. */
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

const restrictionPayload = z.object({ restricter_id: userId, restricted_id: userId, ...pairVersion })
const byRestrictionPair = (event: { restricter_id: number; restricted_id: number }) =>
  pairKey(event.restricter_id, event.restricted_id)

/**
 * A user keeps another one at a distance: no push, typing, read position or presence between the two. Never
 * shown to the restricted user.
 */
export const userRestricted = defineEvent({
  type: 'UserRestricted',
  version: 1,
  topic: 'friend.events',
  key: byRestrictionPair,
  payload: restrictionPayload,
})

export const userUnrestricted = defineEvent({
  type: 'UserUnrestricted',
  version: 1,
  topic: 'friend.events',
  key: byRestrictionPair,
  payload: restrictionPayload,
})

/**
 * The complete current relation of two users. Published to repair local copies (`bigtech republish`); it
 * describes no change, so consumers must not notify users.
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
    /** Missing on events of older publishers, which knew no restrictions. */
    low_restricts_high: z.boolean().optional(),
    high_restricts_low: z.boolean().optional(),
    ...pairVersion,
  }),
})

/** friend-service has erased its data of a deleted account: one step of the deletion. */
export const friendDataErased = defineEvent({
  type: 'FriendDataErased',
  version: 1,
  topic: 'friend.events',
  key: (event) => String(event.user_id),
  payload: z.object({ user_id: userId, deletion_id: z.uuid() }),
})

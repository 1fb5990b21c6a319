import type { ProblemTable } from './problem-definition.ts'

/** Friendships, requests and blocks (friend-service). */
export const friendProblems = {
  FRIEND_SELF: {
    status: 400,
    title: 'You cannot do this to yourself.',
    meaning: '`target_user_id` is your own id.',
  },
  FRIEND_REQUEST_EXISTS: {
    status: 400,
    title: 'A request to this user is already pending.',
    meaning: 'Wait for the decision, or cancel the request.',
  },
  ALREADY_FRIENDS: { status: 400, title: 'You are already friends.', meaning: 'Nothing to do.' },
  FRIEND_REQUEST_NOT_FOUND: {
    status: 404,
    title: 'There is no such friend request.',
    meaning: 'It was accepted, rejected, cancelled, has expired, or is not yours.',
  },
  FRIENDSHIP_NOT_FOUND: { status: 404, title: 'You are not friends.', meaning: 'Nothing to remove.' },
  FRIEND_CHANGES_EXPIRED: {
    status: 410,
    title: 'These changes are not known any more.',
    meaning: 'The position is older than 30 days. Call without `since`, and fetch the whole list of friends.',
  },
  FRIEND_REQUEST_REFUSED: {
    status: 403,
    title: 'You cannot send a request to this user.',
    meaning: 'You have blocked this user: unblock them first.',
  },
  INVITE_INVALID: {
    status: 404,
    title: 'This invite link is not valid.',
    meaning: 'Unknown, expired, or revoked by its owner. Ask for a new link.',
  },
  FRIEND_REQUESTS_CLOSED: {
    status: 403,
    title: 'This user does not accept friend requests from you.',
    meaning:
      'Their settings allow requests from nobody, or only from friends of friends. They can send you a request.',
  },
  FRIEND_REQUEST_LIMIT: {
    status: 429,
    title: 'Too many open friend requests.',
    meaning: 'At most 50 may be pending. Cancel a request, or wait until the oldest expires (`Retry-After`).',
  },
} as const satisfies ProblemTable

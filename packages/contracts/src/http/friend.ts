import { z } from 'zod'
import { timestamp, userId } from '../ids.ts'
import { multiLine, opaqueText, singleLine } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { idParam, pageOf, pageQuery } from './paging.ts'

const requestId = z
  .int()
  .positive()
  .meta({ description: 'Friend request id.', examples: [12] })
const requestParams = z.object({ id: idParam })
const userParams = z.object({ user_id: idParam })

/** Another user in a list. Names come from user-service, or from the local copy during an outage. */
const person = z.object({
  user_id: userId,
  username: z.string(),
  display_name: z.string(),
  status_message: z.string().nullable(),
  profile_image_url: z.string().nullable(),
})
const presenceFields = {
  online: z.boolean().nullable().meta({ description: 'Null when presence is unknown or hidden from you.' }),
  last_seen_at: timestamp.nullable(),
}
const stale = z.boolean().meta({
  description: 'True when user-service did not respond: names may be stale, presence is unknown.',
})

/** A request as its two parties see it. The sender of a rejected request still sees `pending`. */
export const friendRequest = z.object({
  request_id: requestId,
  from_user_id: userId,
  to_user_id: userId,
  status: z.enum(['pending', 'accepted', 'rejected']),
  created_at: timestamp,
  expires_at: timestamp,
})
export type FriendRequest = z.infer<typeof friendRequest>

const noteFields = {
  nickname: z.string().nullable().meta({ description: 'Your nickname for this friend. Only you see it.' }),
  favourite: z.boolean(),
  hidden: z
    .boolean()
    .meta({ description: 'Hidden friends are omitted from your list unless you request them.' }),
}
export const friend = z.object({
  ...person.shape,
  ...presenceFields,
  ...noteFields,
  friends_since: timestamp,
  index_letter: z.string().meta({
    description: 'Index letter of the nickname or display name: ㄱ to ㅎ, A to Z, or `#`.',
  }),
})
export const listedFriendRequest = z.object({
  ...friendRequest.shape,
  user: z.object({ ...person.shape, ...presenceFields }).meta({ description: 'The other person.' }),
  message: z.string().nullable().meta({ description: 'Text the sender attached to the request.' }),
})
export const blockedUser = z.object({ ...person.shape, blocked_at: timestamp })
export const friendSuggestion = z.object({
  ...person.shape,
  ...presenceFields,
  mutual_friends: z.int().positive(),
})

const requestExample = {
  request_id: 12,
  from_user_id: 100,
  to_user_id: 101,
  status: 'pending',
  created_at: '2026-01-27T10:00:00.000Z',
  expires_at: '2026-02-26T10:00:00.000Z',
}
const personExample = {
  user_id: 101,
  username: 'jisoo',
  display_name: '지수',
  status_message: '안녕!',
  profile_image_url: null,
}
const noteExample = { nickname: '우리 지수', favourite: true, hidden: false }
const presenceExample = { online: true, last_seen_at: '2026-01-27T09:59:58.000Z' }

const friendExample = {
  ...personExample,
  ...presenceExample,
  ...noteExample,
  friends_since: '2026-01-27T10:00:00.000Z',
  index_letter: 'ㅇ',
}

export const sendFriendRequest = defineRoute({
  operationId: 'sendFriendRequest',
  method: 'POST',
  path: '/friends/request',
  tag: 'friend requests',
  summary: 'Send a friend request',
  description:
    'If the other user has already sent you a request, you become friends immediately and `status` is `accepted`. A request expires after 30 days; at most 50 may be pending.',
  body: z.strictObject({
    target_user_id: userId,
    message: multiLine({ max: 200 })
      .optional()
      .meta({ description: 'Shown to the receiver with the request.' }),
  }),
  bodyExample: { target_user_id: 101, message: '동아리에서 만난 민수예요.' },
  success: {
    status: 201,
    description: 'The request, or the resulting friendship.',
    schema: friendRequest,
    example: requestExample,
  },
  problems: [
    'FRIEND_SELF',
    'FRIEND_REQUEST_EXISTS',
    'ALREADY_FRIENDS',
    'FRIEND_REQUEST_REFUSED',
    'FRIEND_REQUESTS_CLOSED',
    'FRIEND_REQUEST_LIMIT',
    'USER_NOT_FOUND',
    'RATE_LIMITED',
  ],
})

export const listFriendRequests = defineRoute({
  operationId: 'listFriendRequests',
  method: 'GET',
  path: '/friends/requests',
  tag: 'friend requests',
  summary: 'Pending requests, newest first',
  query: z.object({
    ...pageQuery.shape,
    direction: z.enum(['incoming', 'outgoing']).default('incoming'),
  }),
  success: {
    status: 200,
    description: 'A page of requests.',
    schema: pageOf(listedFriendRequest).extend({ stale }),
    example: {
      items: [{ ...requestExample, user: { ...personExample, ...presenceExample }, message: null }],
      next_cursor: null,
      stale: false,
    },
  },
  problems: ['CURSOR_INVALID'],
})

export const acceptFriendRequest = defineRoute({
  operationId: 'acceptFriendRequest',
  method: 'POST',
  path: '/friends/requests/:id/accept',
  tag: 'friend requests',
  summary: 'Accept a request you received',
  description: 'Idempotent.',
  params: requestParams,
  success: {
    status: 200,
    description: 'The friendship.',
    schema: friendRequest,
    example: { ...requestExample, status: 'accepted' },
  },
  problems: ['FRIEND_REQUEST_NOT_FOUND'],
})

export const rejectFriendRequest = defineRoute({
  operationId: 'rejectFriendRequest',
  method: 'POST',
  path: '/friends/requests/:id/reject',
  tag: 'friend requests',
  summary: 'Reject a request you received',
  description: 'Silent: the sender is not notified and sees the request as pending until it expires.',
  params: requestParams,
  success: {
    status: 200,
    description: 'The request is removed from your list.',
    schema: friendRequest,
    example: { ...requestExample, status: 'rejected' },
  },
  problems: ['FRIEND_REQUEST_NOT_FOUND'],
})

export const cancelFriendRequest = defineRoute({
  operationId: 'cancelFriendRequest',
  method: 'DELETE',
  path: '/friends/requests/:id',
  tag: 'friend requests',
  summary: 'Cancel a request you sent',
  params: requestParams,
  success: { status: 204, description: 'The request is cancelled.' },
  problems: ['FRIEND_REQUEST_NOT_FOUND'],
})

export const listFriends = defineRoute({
  operationId: 'listFriends',
  method: 'GET',
  path: '/friends',
  tag: 'friends',
  summary: 'Your friends with their names and presence',
  description:
    'Newest friendship first, or with `sort=name` as an address book: by nickname or display name, Hangul before Latin.',
  query: z.object({
    ...pageQuery.shape,
    sort: z.enum(['recent', 'name']).default('recent'),
    show: z
      .enum(['visible', 'hidden'])
      .default('visible')
      .meta({ description: '`hidden`: returns only hidden friends.' }),
  }),
  success: {
    status: 200,
    description: 'A page of friends.',
    schema: pageOf(friend).extend({ stale }),
    example: {
      items: [friendExample],
      next_cursor: null,
      stale: false,
    },
  },
  problems: ['CURSOR_INVALID'],
})

export const updateFriend = defineRoute({
  operationId: 'updateFriend',
  method: 'PATCH',
  path: '/friends/:user_id',
  tag: 'friends',
  summary: "Set a friend's nickname, or mark them as favorite or hidden",
  description: 'Only you see these notes. Omitted fields are unchanged. Null removes the nickname.',
  params: userParams,
  body: z
    .strictObject({
      nickname: singleLine({ max: 50 }).nullable().optional(),
      favourite: z.boolean().optional(),
      hidden: z.boolean().optional(),
    })
    .refine((body) => Object.keys(body).length > 0, 'Pass at least one field.'),
  bodyExample: { nickname: '우리 지수', favourite: true },
  success: {
    status: 200,
    description: 'The friend with the new notes.',
    schema: z.object({ user_id: userId, ...noteFields }),
    example: { user_id: 101, ...noteExample },
  },
  problems: ['FRIENDSHIP_NOT_FOUND'],
})

const friendSettings = z.object({
  requests_from: z
    .enum(['everyone', 'friends_of_friends', 'nobody'])
    .meta({ description: 'Who may send you friend requests.' }),
})

export const getFriendSettings = defineRoute({
  operationId: 'getFriendSettings',
  method: 'GET',
  path: '/friends/settings',
  tag: 'friends',
  summary: 'Who may send you friend requests',
  success: {
    status: 200,
    description: 'Your settings.',
    schema: friendSettings,
    example: { requests_from: 'everyone' },
  },
})

export const updateFriendSettings = defineRoute({
  operationId: 'updateFriendSettings',
  method: 'PUT',
  path: '/friends/settings',
  tag: 'friends',
  summary: 'Set who may send you friend requests',
  body: z.strictObject(friendSettings.shape),
  bodyExample: { requests_from: 'friends_of_friends' },
  success: {
    status: 200,
    description: 'Your settings.',
    schema: friendSettings,
    example: { requests_from: 'friends_of_friends' },
  },
})

export const removeFriend = defineRoute({
  operationId: 'removeFriend',
  method: 'DELETE',
  path: '/friends/:user_id',
  tag: 'friends',
  summary: 'End a friendship',
  params: userParams,
  success: { status: 204, description: 'The friendship has ended.' },
  problems: ['FRIENDSHIP_NOT_FOUND'],
})

export const blockUser = defineRoute({
  operationId: 'blockUser',
  method: 'POST',
  path: '/friends/:user_id/block',
  tag: 'blocks',
  summary: 'Block somebody',
  description:
    'Ends a friendship and pending requests, and prevents new ones in both directions. To the blocked user your account looks deleted: 404, and absent from every list.',
  params: userParams,
  success: { status: 204, description: 'Blocked.' },
  problems: ['FRIEND_SELF', 'USER_NOT_FOUND', 'RATE_LIMITED'],
})

export const unblockUser = defineRoute({
  operationId: 'unblockUser',
  method: 'DELETE',
  path: '/friends/:user_id/block',
  tag: 'blocks',
  summary: 'Unblock a user; an ended friendship is not restored',
  params: userParams,
  success: { status: 204, description: 'The user is not blocked.' },
})

export const listBlockedUsers = defineRoute({
  operationId: 'listBlockedUsers',
  method: 'GET',
  path: '/friends/blocked',
  tag: 'blocks',
  summary: 'Users you have blocked, newest first',
  query: pageQuery,
  success: {
    status: 200,
    description: 'A page of blocked users.',
    schema: pageOf(blockedUser).extend({ stale }),
    example: {
      items: [{ ...personExample, blocked_at: '2026-01-27T10:00:00.000Z' }],
      next_cursor: null,
      stale: false,
    },
  },
  problems: ['CURSOR_INVALID'],
})

export const listFriendSuggestions = defineRoute({
  operationId: 'listFriendSuggestions',
  method: 'GET',
  path: '/friends/suggestions',
  tag: 'friends',
  summary: 'Suggested friends, by number of mutual friends',
  query: pageQuery,
  success: {
    status: 200,
    description: 'A page of suggestions.',
    schema: pageOf(friendSuggestion).extend({ stale }),
    example: {
      items: [{ ...personExample, ...presenceExample, mutual_friends: 3 }],
      next_cursor: null,
      stale: false,
    },
  },
  problems: ['CURSOR_INVALID'],
})

export const exportFriends = defineRoute({
  operationId: 'exportFriends',
  method: 'GET',
  path: '/friends/export',
  tag: 'friends',
  summary: "Your friendships, requests and blocks, for your account's archive",
  success: {
    status: 200,
    description: 'Your friendships, pending requests and blocks.',
    schema: z.object({
      user_id: userId,
      exported_at: timestamp,
      friends: z.array(z.object({ user_id: userId, friends_since: timestamp, ...noteFields })),
      requests_sent: z.array(friendRequest),
      requests_received: z.array(friendRequest),
      blocked: z.array(z.object({ user_id: userId, blocked_at: timestamp })),
    }),
    example: {
      user_id: 100,
      exported_at: '2026-01-28T00:00:00.000Z',
      friends: [{ user_id: 101, friends_since: '2026-01-27T10:00:00.000Z', ...noteExample }],
      requests_sent: [],
      requests_received: [],
      blocked: [],
    },
  },
})

const inviteToken = z.object({ token: opaqueText({ min: 8, max: 64 }) })
const inviteExample = 'kq1bY3s0v9Zr4tXw'

export const createFriendInvite = defineRoute({
  operationId: 'createFriendInvite',
  method: 'POST',
  path: '/friends/invites',
  tag: 'friend invites',
  summary: 'Create a link for sending you a friend request',
  description:
    'For a message or a QR code. Valid for 7 days, for any number of users, regardless of `requests_from`. The token is returned only once; the 21st link revokes the oldest.',
  success: {
    status: 201,
    description: 'The token, for an address that your client understands.',
    schema: z.object({ token: z.string(), expires_at: timestamp }),
    example: { token: inviteExample, expires_at: '2026-02-03T10:00:00.000Z' },
  },
  problems: ['RATE_LIMITED'],
})

export const revokeFriendInvites = defineRoute({
  operationId: 'revokeFriendInvites',
  method: 'DELETE',
  path: '/friends/invites',
  tag: 'friend invites',
  summary: 'Revoke all your invite links',
  success: { status: 204, description: 'All links are revoked.' },
})

export const getFriendInvite = defineRoute({
  operationId: 'getFriendInvite',
  method: 'GET',
  path: '/friends/invites/:token',
  tag: 'friend invites',
  summary: 'The owner of an invite link',
  secretPath: true,
  params: inviteToken,
  success: { status: 200, description: 'Its owner.', schema: person, example: personExample },
  problems: ['INVITE_INVALID', 'RATE_LIMITED'],
})

export const acceptFriendInvite = defineRoute({
  operationId: 'acceptFriendInvite',
  method: 'POST',
  path: '/friends/invites/:token',
  tag: 'friend invites',
  summary: 'Send a friend request to the owner of an invite link',
  secretPath: true,
  params: inviteToken,
  success: {
    status: 201,
    description: 'The request, or the resulting friendship.',
    schema: friendRequest,
    example: requestExample,
  },
  problems: [
    'INVITE_INVALID',
    'FRIEND_SELF',
    'FRIEND_REQUEST_EXISTS',
    'ALREADY_FRIENDS',
    'FRIEND_REQUEST_REFUSED',
    'FRIEND_REQUEST_LIMIT',
    'RATE_LIMITED',
  ],
})

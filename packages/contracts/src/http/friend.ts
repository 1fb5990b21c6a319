import { z } from 'zod'
import { timestamp, userId } from '../ids.ts'
import { opaqueText, singleLine } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import {
  blockedUser,
  friend,
  friendExample,
  friendPage,
  friendRequest,
  friendSuggestion,
  noteExample,
  noteFields,
  personExample,
  presenceExample,
  stale,
  userParams,
} from './friend-shapes.ts'
import { pageQuery } from './paging.ts'

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
  success: friendPage(friend, 'A page of friends.', friendExample),
  problems: ['CURSOR_INVALID'],
})

const friendChange = z.object({
  user_id: userId,
  removed: z.boolean().meta({ description: 'Not a friend any more: delete your copy.' }),
  friend: friend.nullable().meta({ description: 'The friend as of now. Null when removed.' }),
})

export const listFriendChanges = defineRoute({
  operationId: 'listFriendChanges',
  method: 'GET',
  path: '/friends/changes',
  tag: 'friends',
  summary: 'Friends that changed since the last call, for clients that keep a copy',
  description:
    'At most 100 at a time. First call it without `since`, then fetch the whole list (visible and hidden friends), then repeat it with the `since` of each response. Each changed friend is returned once, in the order of the changes, as of now: added, renamed, with another note, or removed. Applying a change twice is harmless: changes of profiles within the last minute are repeated. Presence is not a change.',
  query: z.object({
    since: opaqueText({ max: 200 })
      .optional()
      .meta({ description: 'The `since` of the previous response. Omit it to get the present position.' }),
  }),
  success: {
    status: 200,
    description: 'The changes, and where to continue.',
    schema: z.object({
      items: z.array(friendChange).max(100),
      since: z.string(),
      has_more: z.boolean().meta({ description: 'Call again at once: there are more changes.' }),
      stale,
    }),
    example: {
      items: [
        { user_id: 101, removed: false, friend: friendExample },
        { user_id: 102, removed: true, friend: null },
      ],
      since: 'WzEyLDE3Njk0OTk5NDAwMDAsMF0',
      has_more: false,
      stale: false,
    },
  },
  problems: ['CURSOR_INVALID', 'FRIEND_CHANGES_EXPIRED'],
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
  success: friendPage(blockedUser, 'A page of blocked users.', {
    ...personExample,
    blocked_at: '2026-01-27T10:00:00.000Z',
  }),
  problems: ['CURSOR_INVALID'],
})

export const listFriendSuggestions = defineRoute({
  operationId: 'listFriendSuggestions',
  method: 'GET',
  path: '/friends/suggestions',
  tag: 'friends',
  summary: 'Suggested friends, by number of mutual friends',
  query: pageQuery,
  success: friendPage(friendSuggestion, 'A page of suggestions.', {
    ...personExample,
    ...presenceExample,
    mutual_friends: 3,
  }),
  problems: ['CURSOR_INVALID'],
})

export const exportFriends = defineRoute({
  operationId: 'exportFriends',
  method: 'GET',
  path: '/friends/export',
  tag: 'friends',
  summary: "Your friendships, requests, blocks and restrictions, for your account's archive",
  success: {
    status: 200,
    description: 'Your friendships, pending requests, blocks and restrictions.',
    schema: z.object({
      user_id: userId,
      exported_at: timestamp,
      friends: z.array(z.object({ user_id: userId, friends_since: timestamp, ...noteFields })),
      requests_sent: z.array(friendRequest),
      requests_received: z.array(friendRequest),
      blocked: z.array(z.object({ user_id: userId, blocked_at: timestamp })),
      restricted: z.array(z.object({ user_id: userId, restricted_at: timestamp })),
    }),
    example: {
      user_id: 100,
      exported_at: '2026-01-28T00:00:00.000Z',
      friends: [{ user_id: 101, friends_since: '2026-01-27T10:00:00.000Z', ...noteExample }],
      requests_sent: [],
      requests_received: [],
      blocked: [],
      restricted: [],
    },
  },
})

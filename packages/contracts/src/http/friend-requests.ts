import { z } from 'zod'
import { userId } from '../ids.ts'
import { multiLine } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import {
  friendPage,
  friendRequest,
  listedFriendRequest,
  personExample,
  presenceExample,
  requestExample,
  requestParams,
} from './friend-shapes.ts'
import { pageQuery } from './paging.ts'

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
  success: friendPage(listedFriendRequest, 'A page of requests.', {
    ...requestExample,
    user: { ...personExample, ...presenceExample },
    message: null,
  }),
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

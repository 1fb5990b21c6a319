import { defineRoute } from './define-route.ts'
import { friendPage, personExample, restrictedUser, userParams } from './friend-shapes.ts'
import { pageQuery } from './paging.ts'

export const restrictUser = defineRoute({
  operationId: 'restrictUser',
  method: 'POST',
  path: '/friends/:user_id/restriction',
  tag: 'blocks',
  summary: 'Restrict somebody: messages only',
  description:
    'Keeps somebody at a distance without telling them. They can still write to you, but their messages in your 1:1 room cause no push. There they do not see how far you have read or that you are typing, and neither of you sees whether the other is online. Groups, friendship, profile and search are unaffected.',
  params: userParams,
  success: { status: 204, description: 'Restricted.' },
  problems: ['FRIEND_SELF', 'USER_NOT_FOUND', 'RATE_LIMITED'],
})

export const unrestrictUser = defineRoute({
  operationId: 'unrestrictUser',
  method: 'DELETE',
  path: '/friends/:user_id/restriction',
  tag: 'blocks',
  summary: 'Stop restricting a user',
  description: 'The user sees what you read from now on, not what you read while they were restricted.',
  params: userParams,
  success: { status: 204, description: 'The user is not restricted.' },
})

export const listRestrictedUsers = defineRoute({
  operationId: 'listRestrictedUsers',
  method: 'GET',
  path: '/friends/restricted',
  tag: 'blocks',
  summary: 'Users you have restricted, newest first',
  query: pageQuery,
  success: friendPage(restrictedUser, 'A page of restricted users.', {
    ...personExample,
    restricted_at: '2026-01-27T10:00:00.000Z',
  }),
  problems: ['CURSOR_INVALID'],
})

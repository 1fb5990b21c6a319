import { z } from 'zod'
import { timestamp } from '../ids.ts'
import { opaqueText } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { friendRequest, person, personExample, requestExample } from './friend-shapes.ts'

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

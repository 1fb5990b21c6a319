import { z } from 'zod'
import { roomId, timestamp, userId } from '../ids.ts'
import { opaqueText } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { idParam, onePage, pageQuery } from './paging.ts'
import { memberIds, room, roomExample, roomPerson, roomProblems, roomRole } from './rooms.ts'

const tag = 'room members'
const inRoom = z.object({ room_id: idParam })
const memberOfRoom = z.object({ room_id: idParam, user_id: idParam })
const groupProblems = [...roomProblems, 'ROOM_IS_DIRECT', 'RATE_LIMITED'] as const

export const roomMember = z.object({
  ...roomPerson.shape,
  role: roomRole,
  joined_at: timestamp,
  silenced_until: timestamp.nullable().meta({ description: 'When the mute ends. Null: not muted.' }),
})
export type RoomMember = z.infer<typeof roomMember>

const memberExample = {
  user_id: 101,
  username: 'jisoo',
  display_name: '지수',
  profile_image_url: null,
  role: 'member',
  joined_at: '2026-01-27T09:00:00.000Z',
  silenced_until: null,
} satisfies RoomMember

export const listRoomMembers = defineRoute({
  operationId: 'listRoomMembers',
  method: 'GET',
  path: '/rooms/:room_id/members',
  tag,
  summary: 'Members of a room, in the order of joining',
  params: inRoom,
  query: pageQuery,
  success: onePage(roomMember, 'A page of members.', memberExample),
  problems: [...roomProblems, 'CURSOR_INVALID'],
})

export const inviteRoomMembers = defineRoute({
  operationId: 'inviteRoomMembers',
  method: 'POST',
  path: '/rooms/:room_id/members',
  tag,
  summary: 'Add members to a group',
  description:
    'Any member may add their friends, and users who allow strangers to add them. Either all are added or none. Existing members stay.',
  params: inRoom,
  body: z.strictObject({ member_ids: memberIds.min(1) }),
  bodyExample: { member_ids: [103] },
  success: {
    status: 200,
    description: 'The members added by this request.',
    schema: z.object({ room_id: roomId, added: z.array(userId), member_count: z.int() }),
    example: { room_id: 7, added: [103], member_count: 4 },
  },
  problems: [...groupProblems, 'MEMBER_NOT_ADDABLE', 'ROOM_FULL'],
})

export const removeRoomMember = defineRoute({
  operationId: 'removeRoomMember',
  method: 'DELETE',
  path: '/rooms/:room_id/members/:user_id',
  tag,
  summary: 'Remove a member from a group',
  description:
    'Admins can remove members, the owner can remove anyone else. A removed member can return by invitation only. With your own id you leave the group.',
  params: memberOfRoom,
  success: { status: 204, description: 'The user is not a member.' },
  problems: [...groupProblems, 'ROLE_REQUIRED', 'MEMBER_NOT_FOUND'],
})

export const leaveRoom = defineRoute({
  operationId: 'leaveRoom',
  method: 'POST',
  path: '/rooms/:room_id/leave',
  tag,
  summary: 'Leave a group',
  description:
    'When the owner leaves, the oldest admin becomes owner, or else the oldest member; when the last member leaves, the room is deleted.',
  params: inRoom,
  success: { status: 204, description: 'You are not a member.' },
  problems: groupProblems,
})

export const setRoomRole = defineRoute({
  operationId: 'setRoomRole',
  method: 'PUT',
  path: '/rooms/:room_id/members/:user_id/role',
  tag,
  summary: "Change a member's role, or transfer the ownership",
  description: 'Owner only. After a transfer the previous owner is an admin.',
  params: memberOfRoom,
  body: z.strictObject({ role: roomRole }),
  bodyExample: { role: 'admin' },
  success: {
    status: 200,
    description: 'The new role.',
    schema: z.object({ room_id: roomId, user_id: userId, role: roomRole }),
    example: { room_id: 7, user_id: 101, role: 'admin' },
  },
  problems: [...groupProblems, 'ROLE_REQUIRED', 'MEMBER_NOT_FOUND'],
})

const linkTag = 'join links'

export const joinLink = z.object({
  link_id: z.int().positive(),
  room_id: roomId,
  created_by: userId,
  created_at: timestamp,
  expires_at: timestamp.nullable(),
  max_uses: z.int().positive().nullable(),
  uses: z.int().min(0),
})

const linkExample = {
  link_id: 3,
  room_id: 7,
  created_by: 100,
  created_at: '2026-01-27T10:00:00.000Z',
  expires_at: '2026-01-28T10:00:00.000Z',
  max_uses: 50,
  uses: 0,
}

export const createJoinLink = defineRoute({
  operationId: 'createJoinLink',
  method: 'POST',
  path: '/rooms/:room_id/links',
  tag: linkTag,
  summary: 'Create a link for joining a group',
  description: 'Owner and admins only. The token is returned only once.',
  params: inRoom,
  body: z.strictObject({
    expires_in_seconds: z
      .int()
      .min(60)
      .max(365 * 86_400)
      .nullish()
      .meta({ description: 'Null: never expires.' }),
    max_uses: z.int().min(1).max(100_000).nullish().meta({ description: 'Null: any number.' }),
  }),
  bodyExample: { expires_in_seconds: 86_400, max_uses: 50 },
  success: {
    status: 201,
    description: 'The link with its token.',
    schema: joinLink.extend({ token: z.string() }),
    example: { ...linkExample, token: 'kq1bY3s0v9Zr4tXw' },
  },
  problems: [...groupProblems, 'ROLE_REQUIRED', 'JOIN_LINK_LIMIT'],
})

export const listJoinLinks = defineRoute({
  operationId: 'listJoinLinks',
  method: 'GET',
  path: '/rooms/:room_id/links',
  tag: linkTag,
  summary: 'The active links of a group, newest first',
  params: inRoom,
  query: pageQuery,
  success: onePage(joinLink, 'A page of links, without their tokens.', linkExample),
  problems: [...roomProblems, 'ROOM_IS_DIRECT', 'ROLE_REQUIRED', 'CURSOR_INVALID'],
})

export const revokeJoinLink = defineRoute({
  operationId: 'revokeJoinLink',
  method: 'DELETE',
  path: '/rooms/:room_id/links/:link_id',
  tag: linkTag,
  summary: 'Revoke a link',
  params: z.object({ room_id: idParam, link_id: idParam }),
  success: { status: 204, description: 'The link is revoked.' },
  problems: [...roomProblems, 'ROOM_IS_DIRECT', 'ROLE_REQUIRED', 'JOIN_LINK_INVALID'],
})

export const joinRoom = defineRoute({
  operationId: 'joinRoom',
  method: 'POST',
  path: '/rooms/join/:token',
  tag: linkTag,
  summary: 'Join a group by a link',
  description:
    'An existing member gets the room, and the use is not counted. A removed member cannot join by a link.',
  secretPath: true,
  params: z.object({ token: opaqueText({ min: 8, max: 64 }) }),
  success: { status: 200, description: 'The room.', schema: room, example: roomExample },
  problems: ['JOIN_LINK_INVALID', 'ROOM_FULL', 'ROOM_LIMIT', 'RATE_LIMITED'],
})

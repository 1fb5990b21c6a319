import { z } from 'zod'
import { roomId, timestamp, userId } from '../ids.ts'
import { opaqueText } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { idParam, pageOf, pageQuery } from './paging.ts'
import { memberIds, room, roomExample, roomPerson, roomProblems, roomRole } from './rooms.ts'

const tag = 'room members'
const inRoom = z.object({ room_id: idParam })
const memberOfRoom = z.object({ room_id: idParam, user_id: idParam })
const groupProblems = [...roomProblems, 'ROOM_IS_DIRECT', 'RATE_LIMITED'] as const

export const roomMember = z.object({
  ...roomPerson.shape,
  role: roomRole,
  joined_at: timestamp,
  silenced_until: timestamp
    .nullable()
    .meta({ description: 'Until when they may write nothing. Null: they may.' }),
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
  summary: 'Who is in a room, in the order of joining',
  params: inRoom,
  query: pageQuery,
  success: {
    status: 200,
    description: 'A page of members.',
    schema: pageOf(roomMember),
    example: { items: [memberExample], next_cursor: null },
  },
  problems: [...roomProblems, 'CURSOR_INVALID'],
})

export const inviteRoomMembers = defineRoute({
  operationId: 'inviteRoomMembers',
  method: 'POST',
  path: '/rooms/:room_id/members',
  tag,
  summary: 'Add people to a group',
  description:
    'Any member may add friends of theirs, and whoever lets strangers add them. All are added, or none. Whoever is in it already stays.',
  params: inRoom,
  body: z.strictObject({ member_ids: memberIds.min(1) }),
  bodyExample: { member_ids: [103] },
  success: {
    status: 200,
    description: 'Who came in by this.',
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
  summary: 'Remove somebody from a group',
  description:
    'Admins remove members, the owner anybody else. Whoever was removed comes back by invitation only. Your own id: you leave.',
  params: memberOfRoom,
  success: { status: 204, description: 'They are out.' },
  problems: [...groupProblems, 'ROLE_REQUIRED', 'MEMBER_NOT_FOUND'],
})

export const leaveRoom = defineRoute({
  operationId: 'leaveRoom',
  method: 'POST',
  path: '/rooms/:room_id/leave',
  tag,
  summary: 'Leave a group',
  description:
    'When the owner leaves, the oldest admin becomes owner, else the oldest member; when nobody is left, the room is gone.',
  params: inRoom,
  success: { status: 204, description: 'You are out.' },
  problems: groupProblems,
})

export const setRoomRole = defineRoute({
  operationId: 'setRoomRole',
  method: 'PUT',
  path: '/rooms/:room_id/members/:user_id/role',
  tag,
  summary: 'Make somebody admin, member, or the new owner',
  description: 'By the owner. Who hands the room over becomes an admin.',
  params: memberOfRoom,
  body: z.strictObject({ role: roomRole }),
  bodyExample: { role: 'admin' },
  success: {
    status: 200,
    description: 'The role now.',
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
  summary: 'A link by which anybody can join a group',
  description: 'By its owner and admins. The token is shown this once.',
  params: inRoom,
  body: z.strictObject({
    expires_in_seconds: z
      .int()
      .min(60)
      .max(365 * 86_400)
      .nullish()
      .meta({ description: 'Null: it does not expire.' }),
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
  summary: 'The links of a group that still work, newest first',
  params: inRoom,
  query: pageQuery,
  success: {
    status: 200,
    description: 'A page of links, without their tokens.',
    schema: pageOf(joinLink),
    example: { items: [linkExample], next_cursor: null },
  },
  problems: [...roomProblems, 'ROOM_IS_DIRECT', 'ROLE_REQUIRED', 'CURSOR_INVALID'],
})

export const revokeJoinLink = defineRoute({
  operationId: 'revokeJoinLink',
  method: 'DELETE',
  path: '/rooms/:room_id/links/:link_id',
  tag: linkTag,
  summary: 'Make a link stop working',
  params: z.object({ room_id: idParam, link_id: idParam }),
  success: { status: 204, description: 'Nobody joins by it any more.' },
  problems: [...roomProblems, 'ROOM_IS_DIRECT', 'ROLE_REQUIRED', 'JOIN_LINK_INVALID'],
})

export const joinRoom = defineRoute({
  operationId: 'joinRoom',
  method: 'POST',
  path: '/rooms/join/:token',
  tag: linkTag,
  summary: 'Join a group by a link',
  description: 'A member gets the room back and uses nothing up. Whoever was removed from it cannot join.',
  secretPath: true,
  params: z.object({ token: opaqueText({ min: 8, max: 64 }) }),
  success: { status: 200, description: 'The room.', schema: room, example: roomExample },
  problems: ['JOIN_LINK_INVALID', 'ROOM_FULL', 'ROOM_LIMIT', 'RATE_LIMITED'],
})

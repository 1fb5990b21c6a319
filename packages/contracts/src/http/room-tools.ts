import { z } from 'zod'
import { roomId, timestamp, userId } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import { idParam, onePage, pageQuery } from './paging.ts'
import { inRoom, roomProblems } from './rooms.ts'

const tag = 'room tools'
const personInRoom = z.object({ room_id: idParam, user_id: idParam })
const groupProblems = [...roomProblems, 'ROOM_IS_DIRECT', 'ROLE_REQUIRED'] as const
const maxSilenceMinutes = 60 * 24 * 365
const exampleTime = '2026-01-27T11:00:00.000Z'

export const silenceRoomMember = defineRoute({
  operationId: 'silenceRoomMember',
  method: 'PUT',
  path: '/rooms/:room_id/members/:user_id/silence',
  tag,
  summary: 'Mute a member for everybody: they can read but not write',
  description:
    'Admins can mute members; the owner can also mute admins. The mute persists when the member leaves and rejoins. A system message records it.',
  params: personInRoom,
  body: z.strictObject({
    minutes: z
      .int()
      .min(1)
      .max(maxSilenceMinutes)
      .nullish()
      .meta({ description: 'Null: until it is lifted.' }),
  }),
  bodyExample: { minutes: 60 },
  success: {
    status: 200,
    description: 'Until when.',
    schema: z.object({
      room_id: roomId,
      user_id: userId,
      silenced_until: timestamp.meta({ description: 'A time in the year 9999 means until lifted.' }),
    }),
    example: { room_id: 7, user_id: 101, silenced_until: exampleTime },
  },
  problems: [...groupProblems, 'MEMBER_NOT_FOUND', 'RATE_LIMITED'],
})

export const unsilenceRoomMember = defineRoute({
  operationId: 'unsilenceRoomMember',
  method: 'DELETE',
  path: '/rooms/:room_id/members/:user_id/silence',
  tag,
  summary: 'Unmute a member',
  params: personInRoom,
  success: { status: 204, description: 'The member is not muted.' },
  problems: [...groupProblems, 'MEMBER_NOT_FOUND', 'RATE_LIMITED'],
})

const ban = z.object({
  user_id: userId,
  username: z.string(),
  display_name: z.string(),
  banned_by: userId,
  banned_at: timestamp,
})
export type RoomBan = z.infer<typeof ban>

export const listRoomBans = defineRoute({
  operationId: 'listRoomBans',
  method: 'GET',
  path: '/rooms/:room_id/bans',
  tag,
  summary: 'Users banned from a group',
  description: 'Owner and admins only.',
  params: inRoom,
  query: pageQuery,
  success: onePage(ban, 'A page of bans, by user id.', {
    user_id: 104,
    username: 'spammer',
    display_name: '스패머',
    banned_by: 100,
    banned_at: exampleTime,
  }),
  problems: [...groupProblems, 'CURSOR_INVALID'],
})

export const banFromRoom = defineRoute({
  operationId: 'banFromRoom',
  method: 'PUT',
  path: '/rooms/:room_id/bans/:user_id',
  tag,
  summary: 'Ban a user from a group',
  description:
    'Removes the user if they are a member. Invitations and links are refused until the ban is lifted. Admins can ban members and non-members; the owner can ban anyone else.',
  params: personInRoom,
  success: { status: 204, description: 'The user is banned.' },
  problems: [...groupProblems, 'MEMBER_NOT_FOUND', 'RATE_LIMITED'],
})

export const unbanFromRoom = defineRoute({
  operationId: 'unbanFromRoom',
  method: 'DELETE',
  path: '/rooms/:room_id/bans/:user_id',
  tag,
  summary: 'Lift a ban',
  description: 'The user can be invited and can join by a link again.',
  params: personInRoom,
  success: { status: 204, description: 'The user is not banned.' },
  problems: groupProblems,
})

export const roomAuditAction = z.enum([
  'member_removed',
  'member_banned',
  'member_unbanned',
  'member_silenced',
  'member_unsilenced',
  'role_changed',
  'name_changed',
  'picture_changed',
  'history_changed',
  'posting_changed',
  'slow_mode_changed',
  'link_created',
  'link_revoked',
  'message_deleted',
])
export type RoomAuditAction = z.infer<typeof roomAuditAction>

const auditEntry = z.object({
  audit_id: z.int().positive(),
  action: roomAuditAction,
  actor_id: userId,
  target_id: userId.nullable(),
  detail: z
    .string()
    .nullable()
    .meta({ description: 'The new value: a role, a name, seconds, a time. Of a deleted message its id.' }),
  created_at: timestamp,
})

export const listRoomAudit = defineRoute({
  operationId: 'listRoomAudit',
  method: 'GET',
  path: '/rooms/:room_id/audit',
  tag,
  summary: "Actions of a group's owner and admins, newest first",
  description:
    'Owner and admins only. Kept for 180 days. The deletion of a message is listed about a second later.',
  params: inRoom,
  query: pageQuery,
  success: onePage(auditEntry, 'A page of the log.', {
    audit_id: 9,
    action: 'member_silenced',
    actor_id: 100,
    target_id: 101,
    detail: exampleTime,
    created_at: '2026-01-27T10:00:00.000Z',
  }),
  problems: [...groupProblems, 'CURSOR_INVALID'],
})

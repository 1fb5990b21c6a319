import { z } from 'zod'
import { roomType } from '../events/chat-events.ts'
import { messageType } from '../events/message-events.ts'
import { roomId, timestamp, userId } from '../ids.ts'
import { singleLine } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { fileId, oneOfTwoPictures, ownPictureUrl, pictureProblems } from './file-shapes.ts'
import { idParam, onePage, pageQuery } from './paging.ts'

export const maxRoomMembers = 1_000
export const maxRoomsPerUser = 2_000

export const roomRole = z.enum(['owner', 'admin', 'member'])
export const historyVisibility = z.enum(['all', 'since_join']).meta({
  description: 'What new members see of the history: all of it, or only messages after they joined.',
})
export const roomPosting = z.enum(['everyone', 'admins']).meta({
  description: 'Who may send messages: everyone, or only the owner and admins (announcements).',
})
const maxSlowModeSeconds = 6 * 3_600
const slowMode = z.int().min(0).max(maxSlowModeSeconds)
const roomName = singleLine({ max: 100 })

/** A user as shown in a room; the names are local copies. */
export const roomPerson = z.object({
  user_id: userId,
  username: z.string(),
  display_name: z.string(),
  profile_image_url: z.string().nullable(),
})
export type RoomPerson = z.infer<typeof roomPerson>

/** A room as seen by one of its members. */
export const room = z.object({
  room_id: roomId,
  room_type: roomType,
  name: z.string().nullable(),
  title: z.string().meta({
    description:
      'The display title: the name, the other user of a direct room, or the members of an unnamed group.',
  }),
  image_url: z.string().nullable().meta({
    description: 'Relative to the origin of the API. Requires no token.',
  }),
  peer: roomPerson.nullable().meta({ description: 'The other user of a direct room.' }),
  member_count: z.int().min(0),
  role: roomRole.meta({ description: 'Your own.' }),
  history_visibility: historyVisibility,
  posting: roomPosting,
  slow_mode_seconds: slowMode.meta({
    description:
      'Minimum interval between two messages of a member, in seconds. 0: unlimited. Owner and admins are exempt.',
  }),
  silenced_until: timestamp.nullable().meta({
    description: 'When your mute in this room ends. Null: not muted.',
  }),
  created_by: userId,
  created_at: timestamp,
  last_activity_at: timestamp.meta({ description: "Time of the newest message, or of the room's creation." }),
  last_seq: z.int().min(0),
  last_message_type: messageType.nullable(),
  last_message_preview: z.string().nullable().meta({
    description:
      'Null: there is no message, or it was deleted. Empty for an image without a caption and for a system message.',
  }),
  last_message_at: timestamp.nullable(),
  unread_count: z.int().min(0),
  mention_count: z.int().min(0).meta({ description: 'Unread messages that mention you.' }),
  pinned: z.boolean(),
  muted: z.boolean(),
  muted_until: timestamp.nullable().meta({ description: 'Null: not muted, or muted until you unmute it.' }),
  restricted: z.boolean().meta({
    description: 'You restrict the other user of this 1:1 room: show no notification and no badge for it.',
  }),
  archived: z.boolean(),
})
export type Room = z.infer<typeof room>

export const roomExample = {
  room_id: 7,
  room_type: 'group',
  name: '주말 등산',
  title: '주말 등산',
  image_url: null,
  peer: null,
  member_count: 3,
  role: 'owner',
  history_visibility: 'all',
  posting: 'everyone',
  slow_mode_seconds: 0,
  silenced_until: null,
  created_by: 100,
  created_at: '2026-01-27T09:00:00.000Z',
  last_activity_at: '2026-01-27T10:00:00.000Z',
  last_seq: 42,
  last_message_type: 'text',
  last_message_preview: '안녕하세요!',
  last_message_at: '2026-01-27T10:00:00.000Z',
  unread_count: 2,
  mention_count: 0,
  pinned: false,
  muted: false,
  muted_until: null,
  restricted: false,
  archived: false,
} satisfies Room

const tag = 'rooms'
export const inRoom = z.object({ room_id: idParam })
export const roomProblems = ['NOT_A_MEMBER', 'ROOM_NOT_FOUND'] as const
const oneRoom = (status: 200 | 201, description: string) =>
  ({ status, description, schema: room, example: roomExample }) as const

/** The users to add; duplicates and the caller's own id are ignored. */
export const memberIds = z.array(userId).max(maxRoomMembers - 1)

export const createRoom = defineRoute({
  operationId: 'createRoom',
  method: 'POST',
  path: '/rooms',
  tag,
  summary: 'Create a group',
  description:
    'You become its owner. Friends can be added, and users who allow strangers to add them; never two users who blocked each other.',
  body: z
    .strictObject({
      name: roomName.nullish(),
      image_file_id: fileId.nullish().meta({ description: 'A ready file with the purpose `room_picture`.' }),
      image_url: ownPictureUrl.nullish(),
      member_ids: memberIds.default([]),
      history_visibility: historyVisibility.default('all'),
    })
    .refine((body) => !body.image_file_id || !body.image_url, {
      error: oneOfTwoPictures,
      path: ['image_url'],
    }),
  bodyExample: { name: '주말 등산', member_ids: [101, 102] },
  success: oneRoom(201, 'The room.'),
  problems: [...pictureProblems, 'MEMBER_NOT_ADDABLE', 'ROOM_LIMIT', 'RATE_LIMITED'],
})

export const openDirectRoom = defineRoute({
  operationId: 'openDirectRoom',
  method: 'PUT',
  path: '/rooms/direct/:user_id',
  tag,
  summary: 'Get or create the 1:1 room with a friend',
  description: 'Idempotent: every call by either user returns the same room.',
  params: z.object({ user_id: idParam }),
  success: oneRoom(200, 'The room.'),
  problems: ['DIRECT_MESSAGE_REFUSED', 'ROOM_LIMIT', 'RATE_LIMITED'],
})

export const listRooms = defineRoute({
  operationId: 'listRooms',
  method: 'GET',
  path: '/rooms',
  tag,
  summary: 'Your rooms: pinned ones first, then newest activity first',
  description:
    'Pages contain no duplicates and omit no room whose position is unchanged; the stream announces rooms that move up during the listing.',
  query: z.object({
    ...pageQuery.shape,
    archived: z
      .enum(['true', 'false'])
      .default('false')
      .meta({ description: '`true`: returns only archived rooms.' }),
  }),
  success: onePage(room, 'A page of rooms.', roomExample),
  problems: ['CURSOR_INVALID'],
})

export const getRoom = defineRoute({
  operationId: 'getRoom',
  method: 'GET',
  path: '/rooms/:room_id',
  tag,
  summary: 'One of your rooms',
  params: inRoom,
  success: oneRoom(200, 'The room.'),
  problems: roomProblems,
})

export const updateRoom = defineRoute({
  operationId: 'updateRoom',
  method: 'PATCH',
  path: '/rooms/:room_id',
  tag,
  summary: 'Change the name, picture, history visibility and posting rules of a group',
  description:
    'Owner and admins only. For a picture, upload a file with the purpose `room_picture`, wait until it is `ready`, and send its `file_id` as `image_file_id`. Null removes the name or picture.',
  params: inRoom,
  body: z
    .strictObject({
      name: roomName.nullable().optional(),
      image_file_id: fileId.nullable().optional(),
      image_url: ownPictureUrl.nullable().optional(),
      history_visibility: historyVisibility.optional(),
      posting: roomPosting.optional(),
      slow_mode_seconds: slowMode.optional(),
    })
    .refine((body) => Object.keys(body).length > 0, 'Pass at least one field.')
    .refine((body) => !body.image_file_id || !body.image_url, {
      error: oneOfTwoPictures,
      path: ['image_url'],
    }),
  bodyExample: { name: '일요일 등산' },
  success: oneRoom(200, 'The room.'),
  problems: [...roomProblems, ...pictureProblems, 'ROLE_REQUIRED', 'ROOM_IS_DIRECT', 'RATE_LIMITED'],
})

export const deleteRoom = defineRoute({
  operationId: 'deleteRoom',
  method: 'DELETE',
  path: '/rooms/:room_id',
  tag,
  summary: 'Delete a group for everybody',
  description: 'Owner only.',
  params: inRoom,
  success: { status: 204, description: 'The room is deleted.' },
  problems: [...roomProblems, 'ROLE_REQUIRED', 'ROOM_IS_DIRECT'],
})

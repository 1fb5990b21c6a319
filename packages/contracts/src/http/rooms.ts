import { z } from 'zod'
import { roomType } from '../events/chat-events.ts'
import { messageType } from '../events/message-events.ts'
import { roomId, timestamp, userId } from '../ids.ts'
import { singleLine } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { fileId, oneOfTwoPictures, ownPictureUrl, pictureProblems } from './file-shapes.ts'
import { idParam, pageOf, pageQuery } from './paging.ts'

export const maxRoomMembers = 1_000
export const maxRoomsPerUser = 2_000

export const roomRole = z.enum(['owner', 'admin', 'member'])
export const historyVisibility = z.enum(['all', 'since_join']).meta({
  description: 'What members who come later see of the past: all of it, or nothing from before they came.',
})
export const roomPosting = z.enum(['everyone', 'admins']).meta({
  description: 'Who may send messages: everybody, or owner and admins alone (announcements).',
})
const maxSlowModeSeconds = 6 * 3_600
const slowMode = z.int().min(0).max(maxSlowModeSeconds)
const roomName = singleLine({ max: 100 })

/** Somebody as a room shows them; the names are local copies. */
export const roomPerson = z.object({
  user_id: userId,
  username: z.string(),
  display_name: z.string(),
  profile_image_url: z.string().nullable(),
})
export type RoomPerson = z.infer<typeof roomPerson>

/** A room as one of its members sees it. */
export const room = z.object({
  room_id: roomId,
  room_type: roomType,
  name: z.string().nullable(),
  title: z.string().meta({
    description: 'What to show: the name, the other person of a direct room, or who is in an unnamed group.',
  }),
  image_url: z.string().nullable().meta({
    description: 'Relative to the origin of the API. `<img>` needs no token for it.',
  }),
  peer: roomPerson.nullable().meta({ description: 'In a direct room, the other person.' }),
  member_count: z.int().min(0),
  role: roomRole.meta({ description: 'Your own.' }),
  history_visibility: historyVisibility,
  posting: roomPosting,
  slow_mode_seconds: slowMode.meta({
    description: 'How long a member waits between two messages. 0: not at all. Not for owner and admins.',
  }),
  silenced_until: timestamp.nullable().meta({
    description: 'Until when you may write nothing here. Null: you may.',
  }),
  created_by: userId,
  created_at: timestamp,
  last_activity_at: timestamp.meta({ description: 'Of the newest message, or when the room was made.' }),
  last_seq: z.int().min(0),
  last_message_type: messageType.nullable(),
  last_message_preview: z.string().nullable().meta({
    description:
      'Null: there is none, or it is deleted. Empty for a picture without a caption, and for a system message.',
  }),
  last_message_at: timestamp.nullable(),
  unread_count: z.int().min(0),
  mention_count: z.int().min(0).meta({ description: 'Unread messages that mention you.' }),
  pinned: z.boolean(),
  muted: z.boolean(),
  muted_until: timestamp.nullable().meta({ description: 'Null: not muted, or until you turn it off.' }),
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
  archived: false,
} satisfies Room

const tag = 'rooms'
export const inRoom = z.object({ room_id: idParam })
export const roomProblems = ['NOT_A_MEMBER', 'ROOM_NOT_FOUND'] as const
const oneRoom = (status: 200 | 201, description: string) =>
  ({ status, description, schema: room, example: roomExample }) as const

/** Whom to add; yourself and doubles count once. */
export const memberIds = z.array(userId).max(maxRoomMembers - 1)

export const createRoom = defineRoute({
  operationId: 'createRoom',
  method: 'POST',
  path: '/rooms',
  tag,
  summary: 'Open a group',
  description:
    'You become its owner. Friends can be added, and whoever lets strangers add them; nobody of a blocked pair.',
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
  summary: 'The one 1:1 room with a friend',
  description:
    'Opens it when it is not there yet; any number of calls, from either side, give the same room.',
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
    'Going on with the cursor shows no room twice and leaves out none that stayed where it was; rooms that move up meanwhile are told by the stream.',
  query: z.object({
    ...pageQuery.shape,
    archived: z
      .enum(['true', 'false'])
      .default('false')
      .meta({ description: '`true`: the archived ones instead of the others.' }),
  }),
  success: {
    status: 200,
    description: 'A page of rooms.',
    schema: pageOf(room),
    example: { items: [roomExample], next_cursor: null },
  },
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
  summary: 'Rename a group, change its picture, what newcomers see, and who may write how often',
  description:
    'By its owner and admins. For a picture, upload a file with the purpose `room_picture`, wait until it is `ready`, and send its `file_id` as `image_file_id`. Null takes a name or picture away.',
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
    .refine((body) => Object.keys(body).length > 0, 'Say what to change.')
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
  description: 'By its owner.',
  params: inRoom,
  success: { status: 204, description: 'It is gone.' },
  problems: [...roomProblems, 'ROLE_REQUIRED', 'ROOM_IS_DIRECT'],
})

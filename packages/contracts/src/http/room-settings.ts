import { z } from 'zod'
import { roomId, timestamp, userId } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import { inRoom, roomProblems } from './rooms.ts'

const tag = 'room settings'

export const roomSettings = z.object({
  room_id: roomId,
  muted: z.boolean(),
  muted_until: timestamp.nullable(),
  pinned: z.boolean(),
  archived: z.boolean(),
})

export const updateRoomSettings = defineRoute({
  operationId: 'updateRoomSettings',
  method: 'PUT',
  path: '/rooms/:room_id/settings',
  tag,
  summary: 'Mute, pin or archive a room for yourself',
  description: 'Omitted fields are unchanged.',
  params: inRoom,
  body: z
    .strictObject({
      muted: z.boolean().optional(),
      muted_until: z.iso
        .datetime({ offset: true })
        .nullable()
        .optional()
        .meta({ description: 'With `muted: true`: when the mute expires.' }),
      pinned: z.boolean().optional(),
      archived: z.boolean().optional(),
    })
    .refine((body) => Object.keys(body).length > 0, 'Pass at least one field.')
    .refine((body) => !body.muted_until || body.muted === true, {
      path: ['muted_until'],
      message: 'Allowed only together with `muted: true`.',
    })
    .refine((body) => !body.muted_until || Date.parse(body.muted_until) > Date.now(), {
      path: ['muted_until'],
      message: 'Must be in the future.',
    })
    .refine((body) => !body.muted_until || Date.parse(body.muted_until) < Date.parse('9999-12-31'), {
      path: ['muted_until'],
      message: 'Too far in the future; omit it to mute the room until you unmute it.',
    }),
  bodyExample: { muted: true, muted_until: '2099-01-28T08:00:00.000Z', pinned: true },
  success: {
    status: 200,
    description: 'Your settings of the room.',
    schema: roomSettings,
    example: {
      room_id: 7,
      muted: true,
      muted_until: '2099-01-28T08:00:00.000Z',
      pinned: true,
      archived: false,
    },
  },
  problems: [...roomProblems, 'RATE_LIMITED'],
})

export const receiverSettings = z.object({
  strangers_may_add: z
    .boolean()
    .meta({ description: 'Whether users who are not your friends may add you to groups.' }),
})

export const getReceiverSettings = defineRoute({
  operationId: 'getReceiverSettings',
  method: 'GET',
  path: '/rooms/settings/me',
  tag,
  summary: 'Who may add you to groups',
  success: {
    status: 200,
    description: 'Your settings.',
    schema: receiverSettings,
    example: { strangers_may_add: false },
  },
})

export const updateReceiverSettings = defineRoute({
  operationId: 'updateReceiverSettings',
  method: 'PUT',
  path: '/rooms/settings/me',
  tag,
  summary: 'Set who may add you to groups',
  body: z.strictObject({ strangers_may_add: z.boolean() }),
  bodyExample: { strangers_may_add: true },
  success: {
    status: 200,
    description: 'Your settings.',
    schema: receiverSettings,
    example: { strangers_may_add: true },
  },
  problems: ['RATE_LIMITED'],
})

export const exportChatData = defineRoute({
  operationId: 'exportChatData',
  method: 'GET',
  path: '/rooms/export',
  tag,
  summary: "Your rooms, settings and messages, for your account's archive",
  description: 'Streamed; large exports take a while.',
  success: {
    status: 200,
    description: 'One JSON document.',
    contentType: 'application/json',
    schema: z.object({
      exported_at: timestamp,
      user_id: userId,
      settings: receiverSettings,
      rooms: z.array(z.record(z.string(), z.unknown())),
      messages: z.array(z.record(z.string(), z.unknown())),
    }),
    example: {
      exported_at: '2026-01-27T10:00:00.000Z',
      user_id: 100,
      settings: { strangers_may_add: false },
      rooms: [{ room_id: 7, room_type: 'group', name: '주말 등산', role: 'owner' }],
      messages: [{ message_id: '7:000000000042', room_id: 7, content: '안녕하세요!' }],
    },
  },
  problems: ['RATE_LIMITED'],
})

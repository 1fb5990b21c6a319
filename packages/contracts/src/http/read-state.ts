import { z } from 'zod'
import { roomId, seq, userId } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import { inRoom, roomProblems } from './rooms.ts'

export const readPosition = z.object({
  user_id: userId,
  seq: z.int().min(0).meta({ description: 'Everything up to here has been read.' }),
})

export const markRead = defineRoute({
  operationId: 'markRead',
  method: 'PUT',
  path: '/rooms/:room_id/read',
  tag: 'read state',
  summary: 'Say how far you have read',
  description: 'Never moves back. Sending a message counts as having read what is before it.',
  params: inRoom,
  body: z.strictObject({ seq }),
  bodyExample: { seq: 42 },
  success: {
    status: 200,
    description: 'Your position now.',
    schema: z.object({ room_id: roomId, ...readPosition.shape }),
    example: { room_id: 7, user_id: 100, seq: 42 },
  },
  problems: [...roomProblems, 'SEQ_OUT_OF_RANGE', 'RATE_LIMITED'],
})

export const listReadPositions = defineRoute({
  operationId: 'listReadPositions',
  method: 'GET',
  path: '/rooms/:room_id/read',
  tag: 'read state',
  summary: 'How far each member has read',
  description: 'With it, and the frames of the stream, a client counts `unread_count` of any message itself.',
  params: inRoom,
  success: {
    status: 200,
    description: 'One entry per member, at most 1,000, by user id.',
    schema: z.object({ items: z.array(readPosition) }),
    example: { items: [{ user_id: 100, seq: 42 }] },
  },
  problems: roomProblems,
})

import { z } from 'zod'
import { roomId, seq, userId } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import { inRoom, roomProblems } from './rooms.ts'

export const readPosition = z.object({
  user_id: userId,
  seq: z.int().min(0).meta({ description: 'Every message up to this seq has been read.' }),
})

export const markRead = defineRoute({
  operationId: 'markRead',
  method: 'PUT',
  path: '/rooms/:room_id/read',
  tag: 'read state',
  summary: 'Advance your read position',
  description: 'Never moves back. Sending a message marks every earlier message as read.',
  params: inRoom,
  body: z.strictObject({ seq }),
  bodyExample: { seq: 42 },
  success: {
    status: 200,
    description: 'Your current position.',
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
  summary: 'Read positions of all members',
  description:
    'From these positions and the frames of the stream, a client computes the `unread_count` of any message.',
  params: inRoom,
  success: {
    status: 200,
    description: 'One entry per member, at most 1,000, by user id.',
    schema: z.object({ items: z.array(readPosition) }),
    example: { items: [{ user_id: 100, seq: 42 }] },
  },
  problems: roomProblems,
})

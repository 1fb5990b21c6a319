import { z } from 'zod'
import { roomId } from '../ids.ts'
import { emoji } from '../text/emoji.ts'
import { typedText } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import {
  clientMessageId,
  message,
  messageExample,
  messageProblems,
  ofMessage,
  oneMessage,
  tag,
} from './message-shapes.ts'
import { idParam, pageLimit, pageQuery } from './paging.ts'
import { inRoom, roomProblems } from './rooms.ts'

const ofReaction = z.object({ ...ofMessage.shape, emoji })

export const addReaction = defineRoute({
  operationId: 'addReaction',
  method: 'PUT',
  path: '/messages/:room_id/:message_id/reactions/:emoji',
  tag,
  summary: 'React to a message',
  description: 'Idempotent.',
  params: ofReaction,
  success: oneMessage(200, 'The message with its reactions.'),
  problems: [
    ...messageProblems,
    'REACTION_LIMIT',
    'DIRECT_MESSAGE_REFUSED',
    'ACCOUNT_MUTED',
    'MEMBER_SILENCED',
  ],
})

export const removeReaction = defineRoute({
  operationId: 'removeReaction',
  method: 'DELETE',
  path: '/messages/:room_id/:message_id/reactions/:emoji',
  tag,
  summary: 'Remove a reaction',
  description: 'Idempotent.',
  params: ofReaction,
  success: oneMessage(200, 'The message with its reactions.'),
  problems: messageProblems,
})

export const listPins = defineRoute({
  operationId: 'listPins',
  method: 'GET',
  path: '/messages/:room_id/pins',
  tag,
  summary: 'The pinned messages of a room, newest pin first',
  params: inRoom,
  success: {
    status: 200,
    description: 'At most 50.',
    schema: z.object({ items: z.array(message) }),
    example: { items: [{ ...messageExample, pinned_at: '2026-01-27T11:00:00.000Z' }] },
  },
  problems: roomProblems,
})

export const pinMessage = defineRoute({
  operationId: 'pinMessage',
  method: 'PUT',
  path: '/messages/:room_id/:message_id/pin',
  tag,
  summary: 'Pin a message',
  params: ofMessage,
  success: oneMessage(200, 'The pinned message.'),
  problems: [...messageProblems, 'PIN_LIMIT', 'DIRECT_MESSAGE_REFUSED', 'ACCOUNT_MUTED', 'MEMBER_SILENCED'],
})

export const unpinMessage = defineRoute({
  operationId: 'unpinMessage',
  method: 'DELETE',
  path: '/messages/:room_id/:message_id/pin',
  tag,
  summary: 'Unpin a message',
  params: ofMessage,
  success: oneMessage(200, 'The message.'),
  problems: messageProblems,
})

export const forwardMessage = defineRoute({
  operationId: 'forwardMessage',
  method: 'POST',
  path: '/messages/:room_id/:message_id/forward',
  tag,
  summary: 'Forward a message to other rooms',
  description: 'Sends copies: later changes of the original do not affect them.',
  params: ofMessage,
  body: z.strictObject({
    room_ids: z.array(roomId).min(1).max(10),
    client_message_id: clientMessageId.optional(),
  }),
  bodyExample: { room_ids: [8, 9], client_message_id: 'c0ffee00-0002' },
  success: {
    status: 201,
    description: 'The new messages, in the order of `room_ids`.',
    schema: z.object({ items: z.array(message) }),
    example: { items: [{ ...messageExample, room_id: 8, is_forwarded: true }] },
  },
  problems: [
    ...messageProblems,
    'DIRECT_MESSAGE_REFUSED',
    'ACCOUNT_MUTED',
    'MEMBER_SILENCED',
    'ANNOUNCEMENTS_ONLY',
    'SLOW_MODE',
    'MESSAGE_ID_REUSED',
  ],
})

export const searchMessages = defineRoute({
  operationId: 'searchMessages',
  method: 'GET',
  path: '/messages/search',
  tag,
  summary: 'Search the messages you may see, newest first',
  description:
    'Every word must occur; text written without spaces (Chinese, Japanese, Korean, Thai, ...) and emoji match by any part. Case, width, accents and vowel points are ignored. A message is searchable about a second after it was sent or edited. A search that would exceed its time budget returns the matches found so far: `is_partial` is then true, possibly without items, and `next_cursor` continues it.',
  query: z.object({
    q: typedText({ max: 100 }),
    room_id: idParam.optional(),
    limit: pageLimit,
    cursor: pageQuery.shape.cursor,
  }),
  success: {
    status: 200,
    description: 'A page of messages.',
    schema: z.object({
      items: z.array(message),
      next_cursor: z.string().nullable(),
      is_partial: z.boolean(),
    }),
    example: { items: [messageExample], next_cursor: null, is_partial: false },
  },
  problems: [...roomProblems, 'CURSOR_INVALID', 'RATE_LIMITED'],
})

import { z } from 'zod'
import { timestamp, userId } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import { fileId } from './file-shapes.ts'
import {
  caption,
  clientMessageId,
  message,
  messageExample,
  messageIdParam,
  messageProblems,
  ofMessage,
  oneMessage,
  tag,
} from './message-shapes.ts'
import { idParam, onePage, pageLimit, pageQuery, wholeNumber } from './paging.ts'
import { inRoom, roomProblems } from './rooms.ts'

export const sendMessage = defineRoute({
  operationId: 'sendMessage',
  method: 'POST',
  path: '/messages/:room_id',
  tag,
  summary: 'Send a message',
  description:
    'The response means that the message is durable. If there is no response, retry with the same `client_message_id`.',
  params: inRoom,
  body: z
    .strictObject({
      content: caption,
      message_type: z.enum(['text', 'image', 'file', 'voice', 'video']).default('text'),
      client_message_id: clientMessageId.optional(),
      reply_to: messageIdParam.optional(),
      mentions: z.array(userId).max(50).optional().meta({ description: 'Mentioned members of the room.' }),
      file_id: fileId.optional().meta({
        description: 'A file of yours in the state `ready`; required for every type except `text`.',
      }),
    })
    .superRefine((body, ctx) => {
      const attached = body.message_type !== 'text'
      if (attached !== (body.file_id !== undefined)) {
        const message = attached ? `Required for type ${body.message_type}.` : 'Not for type text.'
        ctx.addIssue({ code: 'custom', path: ['file_id'], message })
      }
      if (!attached && body.content === '') {
        ctx.addIssue({ code: 'custom', path: ['content'], message: 'Write something.' })
      }
    }),
  bodyExample: { content: '안녕하세요!', message_type: 'text', client_message_id: 'c0ffee00-0001' },
  success: oneMessage(201, 'The message as stored.'),
  problems: [
    ...messageProblems,
    'DIRECT_MESSAGE_REFUSED',
    'MEMBER_SILENCED',
    'ANNOUNCEMENTS_ONLY',
    'SLOW_MODE',
    'ACCOUNT_MUTED',
    'MESSAGE_ID_REUSED',
    'FILE_NOT_FOUND',
    'FILE_NOT_READY',
    'FILE_KIND_MISMATCH',
  ],
})

export const listMessages = defineRoute({
  operationId: 'listMessages',
  method: 'GET',
  path: '/messages/:room_id',
  tag,
  summary: 'The history of a room, by seq',
  description:
    'Without a position: the newest messages. Items are in ascending order of `seq`. `next_cursor` continues in the same direction: backward from the newest and for `before_seq`, forward for `after_seq`.',
  params: inRoom,
  query: z
    .object({
      before_seq: idParam.optional(),
      after_seq: wholeNumber().optional(),
      around_seq: idParam.optional(),
      limit: pageLimit,
      cursor: pageQuery.shape.cursor,
    })
    .refine(
      (query) =>
        [query.before_seq, query.after_seq, query.around_seq, query.cursor].filter(
          (each) => each !== undefined,
        ).length <= 1,
      'Pass at most one of before_seq, after_seq, around_seq and cursor.',
    ),
  success: {
    status: 200,
    description: 'A page of messages.',
    schema: z.object({
      items: z.array(message),
      next_cursor: z.string().nullable(),
      last_seq: z.int().min(0).meta({ description: 'Position of the newest message of the room.' }),
      last_cseq: z
        .int()
        .min(0)
        .meta({ description: 'Position of the newest change of a message of the room.' }),
    }),
    example: { items: [messageExample], next_cursor: null, last_seq: 42, last_cseq: 3 },
  },
  problems: [...roomProblems, 'CURSOR_INVALID'],
})

export const getMessage = defineRoute({
  operationId: 'getMessage',
  method: 'GET',
  path: '/messages/:room_id/:message_id',
  tag,
  summary: 'One message',
  params: ofMessage,
  success: oneMessage(200, 'The message.'),
  problems: [...roomProblems, 'MESSAGE_NOT_FOUND'],
})

export const editMessage = defineRoute({
  operationId: 'editMessage',
  method: 'PATCH',
  path: '/messages/:room_id/:message_id',
  tag,
  summary: 'Edit your own message within 24 hours',
  params: ofMessage,
  description: 'Omitted mentions are unchanged. The caption of an image or a file may be empty.',
  body: z.strictObject({ content: caption, mentions: z.array(userId).max(50).optional() }),
  bodyExample: { content: '안녕하세요, 여러분!' },
  success: oneMessage(200, 'The edited message.'),
  problems: [...messageProblems, 'FORBIDDEN', 'EDIT_WINDOW_OVER', 'DIRECT_MESSAGE_REFUSED', 'ACCOUNT_MUTED'],
})

export const listMessageVersions = defineRoute({
  operationId: 'listMessageVersions',
  method: 'GET',
  path: '/messages/:room_id/:message_id/versions',
  tag,
  summary: 'The previous versions of an edited message, oldest first',
  description: 'The newest 100 versions are kept.',
  params: ofMessage,
  query: pageQuery,
  success: onePage(
    z.object({ rev: z.int().min(0), content: z.string(), written_at: timestamp }),
    'The versions, the current one last. Empty for a deleted message.',
    { rev: 0, content: '안녕', written_at: '2026-01-27T10:00:00.000Z' },
  ),
  problems: [...roomProblems, 'MESSAGE_NOT_FOUND', 'CURSOR_INVALID'],
})

export const deleteMessage = defineRoute({
  operationId: 'deleteMessage',
  method: 'DELETE',
  path: '/messages/:room_id/:message_id',
  tag,
  summary: 'Delete a message for everybody, or for yourself',
  description:
    'For everybody: your own messages, or any message if you are an admin of the group. The content is removed from every response; its position in the history stays.',
  params: ofMessage,
  query: z.object({ for: z.enum(['all', 'me']).default('all') }),
  success: oneMessage(200, 'The message without its content.'),
  problems: [...messageProblems, 'FORBIDDEN'],
})

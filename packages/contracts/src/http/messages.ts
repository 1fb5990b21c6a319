import { z } from 'zod'
import { messageType } from '../events/message-events.ts'
import { messageId, roomId, seq, timestamp, userId } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import { idParam } from './paging.ts'

export const maxContentCharacters = 10_000
export const maxContentBytes = 32 * 1024
export const maxReactionKinds = 20

const utf8Bytes = (text: string) => new TextEncoder().encode(text).length
const characters = (text: string) => [...text].length

/** What somebody wrote: measured in characters as people count them, and in bytes on the wire. */
export const messageContent = z
  .string()
  .refine((text) => text.trim().length > 0, 'Write something.')
  .refine((text) => characters(text) <= maxContentCharacters, `At most ${maxContentCharacters} characters.`)
  .refine((text) => utf8Bytes(text) <= maxContentBytes, `At most ${maxContentBytes} bytes in UTF-8.`)
  .refine((text) => text.isWellFormed(), 'Not valid Unicode.')

/** One emoji, as people see it: a flag or a family is several code points. */
export const emoji = z
  .string()
  .min(1)
  .max(32)
  .regex(/^(\p{Emoji}|\p{Emoji_Component}|\p{Extended_Pictographic}|\u200d|\ufe0f)+$/u, 'One emoji.')
  .refine(
    (text) => !/^[0-9#*]+$/.test(text) && [...new Intl.Segmenter().segment(text)].length === 1,
    'One emoji.',
  )

/** Where an image or a file is, and what a client needs to lay it out before it is loaded. */
export const attachment = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).max(2_000),
  name: z.string().min(1).max(255),
  mime: z
    .string()
    .max(127)
    .regex(/^[\w.+-]+\/[\w.+-]+$/, 'A media type.'),
  size: z
    .int()
    .positive()
    .max(2 ** 40)
    .meta({ description: 'Bytes.' }),
  width: z.int().positive().max(100_000).optional(),
  height: z.int().positive().max(100_000).optional(),
})
export type Attachment = z.infer<typeof attachment>

export const reaction = z.object({
  emoji: z.string(),
  count: z.int().positive(),
  me: z.boolean().meta({ description: 'Whether you are one of them.' }),
})

/** The message that another one answers, as it is now: nothing of a deleted one. */
export const replyPreview = z.object({
  message_id: messageId,
  seq,
  user_id: userId,
  username: z.string(),
  content: z.string().meta({ description: 'Its first 100 characters.' }),
  message_type: messageType,
  is_deleted: z.boolean(),
})

export const message = z.object({
  message_id: messageId,
  room_id: roomId,
  seq,
  user_id: userId,
  username: z
    .string()
    .meta({ description: 'As it was when the message was sent; empty once the account is gone.' }),
  content: z.string(),
  message_type: messageType,
  created_at: timestamp,
  edited_at: timestamp.nullable(),
  is_deleted: z.boolean(),
  deleted_for: z
    .enum(['all', 'me'])
    .nullable()
    .meta({ description: '`me`: only you no longer see it. Its place stays, so that `seq` has no hole.' }),
  reply_to: messageId.nullable(),
  reply_preview: replyPreview.nullable(),
  is_forwarded: z.boolean(),
  attachment: z.object(attachment.shape).nullable(),
  mentions: z.array(userId),
  reactions: z.array(reaction),
  pinned_at: timestamp.nullable(),
  system: z
    .object({ kind: z.string(), payload: z.record(z.string(), z.unknown()) })
    .nullable()
    .meta({ description: 'What a `system` message tells of.' }),
  unread_count: z.int().min(0).meta({ description: 'Members who have not read it yet.' }),
  client_message_id: z.string().nullable(),
  rev: z.int().min(0).meta({ description: 'How often it was edited.' }),
  cseq: z.int().min(0).meta({
    description: 'Last change of it in the log of the room; of two copies the one with the higher is newer.',
  }),
})
export type Message = z.infer<typeof message>

export const messageExample = {
  message_id: '7:000000000042',
  room_id: 7,
  seq: 42,
  user_id: 100,
  username: 'minji',
  content: '안녕하세요!',
  message_type: 'text',
  created_at: '2026-01-27T10:00:00.000Z',
  edited_at: null,
  is_deleted: false,
  deleted_for: null,
  reply_to: null,
  reply_preview: null,
  is_forwarded: false,
  attachment: null,
  mentions: [],
  reactions: [{ emoji: '👍', count: 2, me: true }],
  pinned_at: null,
  system: null,
  unread_count: 3,
  client_message_id: 'c0ffee00-0001',
  rev: 0,
  cseq: 3,
} satisfies Message

const inRoom = z.object({ room_id: idParam })
export const messageIdParam = z
  .string()
  .regex(/^[1-9]\d{0,15}:\d{12}$/, 'A message_id as the service gave it.')
const ofMessage = z.object({ room_id: idParam, message_id: messageIdParam })
const clientMessageId = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\w.:-]+$/, 'Letters, digits and `_ . : -`.')
  .meta({ description: 'Your own id of this message: a repeated send is stored once.' })
const tag = 'messages'
const oneMessage = (status: 200 | 201, description: string) =>
  ({ status, description, schema: message, example: messageExample }) as const
const roomProblems = ['NOT_A_MEMBER', 'ROOM_NOT_FOUND'] as const
const messageProblems = [...roomProblems, 'MESSAGE_NOT_FOUND', 'RATE_LIMITED', 'OVERLOADED'] as const

export const sendMessage = defineRoute({
  operationId: 'sendMessage',
  method: 'POST',
  path: '/messages/:room_id',
  tag,
  summary: 'Send a message',
  description:
    'Answered when the message is durable. Send it again with the same `client_message_id` when no answer came.',
  params: inRoom,
  body: z
    .strictObject({
      content: z.string(),
      message_type: z.enum(['text', 'image', 'file']).default('text'),
      client_message_id: clientMessageId.optional(),
      reply_to: messageIdParam.optional(),
      mentions: z.array(userId).max(50).optional().meta({ description: 'Members of the room.' }),
      attachment: attachment.optional(),
    })
    .superRefine((body, ctx) => {
      const attached = body.message_type !== 'text'
      if (attached !== (body.attachment !== undefined)) {
        const message = attached ? 'Required for an image or a file.' : 'Only for an image or a file.'
        ctx.addIssue({ code: 'custom', path: ['attachment'], message })
      }
      // A picture may go without a caption.
      if (attached && body.content === '') return
      for (const issue of messageContent.safeParse(body.content).error?.issues ?? []) {
        ctx.addIssue({ code: 'custom', path: ['content'], message: issue.message })
      }
    }),
  bodyExample: { content: '안녕하세요!', message_type: 'text', client_message_id: 'c0ffee00-0001' },
  success: oneMessage(201, 'The message as stored.'),
  problems: [...messageProblems, 'DIRECT_MESSAGE_REFUSED', 'MESSAGE_ID_REUSED'],
})

export const listMessages = defineRoute({
  operationId: 'listMessages',
  method: 'GET',
  path: '/messages/:room_id',
  tag,
  summary: 'The history of a room, by seq',
  description:
    'Without a position: the newest messages. Items are in ascending order of `seq`. `next_cursor` goes on in the same direction: back for the newest and `before_seq`, forward for `after_seq`.',
  params: inRoom,
  query: z
    .object({
      before_seq: idParam.optional(),
      after_seq: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
      around_seq: idParam.optional(),
      limit: z.coerce.number().int().min(1).max(100).default(20),
      cursor: z
        .string()
        .max(200)
        .optional()
        .meta({ description: '`next_cursor` of the page before, as it came.' }),
    })
    .refine(
      (query) =>
        [query.before_seq, query.after_seq, query.around_seq, query.cursor].filter(
          (each) => each !== undefined,
        ).length <= 1,
      'One of before_seq, after_seq, around_seq and cursor.',
    ),
  success: {
    status: 200,
    description: 'A page of messages.',
    schema: z.object({
      items: z.array(message),
      next_cursor: z.string().nullable(),
      last_seq: z.int().min(0).meta({ description: 'The newest message of the room.' }),
      last_cseq: z.int().min(0).meta({ description: 'The newest change of a message of the room.' }),
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
  success: oneMessage(200, 'The message as it is now.'),
  problems: [...roomProblems, 'MESSAGE_NOT_FOUND'],
})

export const editMessage = defineRoute({
  operationId: 'editMessage',
  method: 'PATCH',
  path: '/messages/:room_id/:message_id',
  tag,
  summary: 'Edit your own message within 24 hours',
  params: ofMessage,
  body: z.strictObject({ content: messageContent, mentions: z.array(userId).max(50).optional() }),
  bodyExample: { content: '안녕하세요, 여러분!' },
  success: oneMessage(200, 'The message as edited.'),
  problems: [...messageProblems, 'FORBIDDEN', 'EDIT_WINDOW_OVER', 'DIRECT_MESSAGE_REFUSED'],
})

export const listMessageVersions = defineRoute({
  operationId: 'listMessageVersions',
  method: 'GET',
  path: '/messages/:room_id/:message_id/versions',
  tag,
  summary: 'What an edited message said before, oldest first',
  params: ofMessage,
  success: {
    status: 200,
    description: 'Its versions, the present one last. Empty for a deleted message.',
    schema: z.object({
      items: z.array(z.object({ rev: z.int().min(0), content: z.string(), written_at: timestamp })),
    }),
    example: { items: [{ rev: 0, content: '안녕', written_at: '2026-01-27T10:00:00.000Z' }] },
  },
  problems: [...roomProblems, 'MESSAGE_NOT_FOUND'],
})

export const deleteMessage = defineRoute({
  operationId: 'deleteMessage',
  method: 'DELETE',
  path: '/messages/:room_id/:message_id',
  tag,
  summary: 'Delete a message for everybody, or for yourself',
  description:
    'For everybody: your own, or as an admin of a group any. The content is gone from every answer; the place in the history stays.',
  params: ofMessage,
  query: z.object({ for: z.enum(['all', 'me']).default('all') }),
  success: oneMessage(200, 'What is left of the message.'),
  problems: [...messageProblems, 'FORBIDDEN'],
})

const ofReaction = z.object({ ...ofMessage.shape, emoji })

export const addReaction = defineRoute({
  operationId: 'addReaction',
  method: 'PUT',
  path: '/messages/:room_id/:message_id/reactions/:emoji',
  tag,
  summary: 'React to a message',
  description: 'Any number of times with the same effect.',
  params: ofReaction,
  success: oneMessage(200, 'The message with its reactions.'),
  problems: [...messageProblems, 'REACTION_LIMIT', 'DIRECT_MESSAGE_REFUSED'],
})

export const removeReaction = defineRoute({
  operationId: 'removeReaction',
  method: 'DELETE',
  path: '/messages/:room_id/:message_id/reactions/:emoji',
  tag,
  summary: 'Take a reaction back',
  description: 'Any number of times with the same effect.',
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
  problems: [...messageProblems, 'PIN_LIMIT', 'DIRECT_MESSAGE_REFUSED'],
})

export const unpinMessage = defineRoute({
  operationId: 'unpinMessage',
  method: 'DELETE',
  path: '/messages/:room_id/:message_id/pin',
  tag,
  summary: 'Unpin a message',
  params: ofMessage,
  success: oneMessage(200, 'The message, not pinned.'),
  problems: messageProblems,
})

export const forwardMessage = defineRoute({
  operationId: 'forwardMessage',
  method: 'POST',
  path: '/messages/:room_id/:message_id/forward',
  tag,
  summary: 'Send a message on to other rooms',
  description: 'A copy: what happens to the original later does not touch it.',
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
  problems: [...messageProblems, 'DIRECT_MESSAGE_REFUSED', 'MESSAGE_ID_REUSED'],
})

export const searchMessages = defineRoute({
  operationId: 'searchMessages',
  method: 'GET',
  path: '/messages/search',
  tag,
  summary: 'Search the messages you may see, newest first',
  description: 'All words must occur; Chinese, Japanese and Korean text is found by any part of it.',
  query: z.object({
    q: z.string().trim().min(1).max(100),
    room_id: idParam.optional(),
    limit: z.coerce.number().int().min(1).max(100).default(20),
    cursor: z.string().max(200).optional(),
  }),
  success: {
    status: 200,
    description: 'A page of messages.',
    schema: z.object({ items: z.array(message), next_cursor: z.string().nullable() }),
    example: { items: [messageExample], next_cursor: null },
  },
  problems: [...roomProblems, 'CURSOR_INVALID', 'RATE_LIMITED'],
})

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
    description: 'One entry per member, at most 1,000.',
    schema: z.object({ items: z.array(readPosition) }),
    example: { items: [{ user_id: 100, seq: 42 }] },
  },
  problems: roomProblems,
})

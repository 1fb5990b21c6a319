import { z } from 'zod'
import { messageType } from '../events/message-events.ts'
import { messageId, roomId, seq, timestamp, userId } from '../ids.ts'
import { multiLine, utf8Length } from '../text/text.ts'
import { messageFile } from './file-shapes.ts'
import { idParam } from './paging.ts'
import { roomProblems } from './rooms.ts'

export const maxContentCharacters = 10_000
export const maxContentBytes = 32 * 1024
export const maxReactionKinds = 20

const bytesInUtf8 = (text: string) => utf8Length(text) <= maxContentBytes
const tooManyBytes = `At most ${maxContentBytes} bytes in UTF-8.`

/** The text of a message. */
export const messageContent = multiLine({ max: maxContentCharacters }).refine(bytesInUtf8, tooManyBytes)
/** The caption of an image or a file; may be empty. */
export const caption = multiLine({ max: maxContentCharacters, min: 0 }).refine(bytesInUtf8, tooManyBytes)

/** The address of an image or a file of an old message. New messages refer to files of media-service. */
const storedAttachment = z.object({
  url: z.string(),
  name: z.string(),
  mime: z.string(),
  size: z.int().meta({ description: 'Bytes.' }),
  width: z.int().optional(),
  height: z.int().optional(),
})
export type Attachment = z.infer<typeof storedAttachment>

export const reaction = z.object({
  emoji: z.string(),
  count: z.int().positive(),
  me: z.boolean().meta({ description: 'Whether you reacted with it.' }),
})

/** The replied-to message as the reader may see it now: without content when deleted. */
export const replyPreview = z.object({
  message_id: messageId,
  seq,
  user_id: userId,
  username: z.string(),
  content: z.string().meta({ description: 'The first 100 characters.' }),
  message_type: messageType,
  is_deleted: z.boolean(),
})

export const message = z.object({
  message_id: messageId,
  room_id: roomId,
  seq,
  user_id: userId,
  username: z.string().meta({
    description: 'The name when the message was sent; `unknown user` after the account was deleted.',
  }),
  content: z.string(),
  message_type: messageType,
  created_at: timestamp,
  edited_at: timestamp.nullable(),
  is_deleted: z.boolean(),
  deleted_for: z
    .enum(['all', 'me'])
    .nullable()
    .meta({ description: '`me`: hidden from you only. Its position stays, so that `seq` has no gap.' }),
  reply_to: messageId.nullable(),
  reply_preview: replyPreview.nullable(),
  is_forwarded: z.boolean(),
  attachment: storedAttachment
    .nullable()
    .meta({ description: 'Of messages older than the files API; otherwise null.' }),
  file: messageFile
    .nullable()
    .meta({ description: 'Fetch it with `GET /files/{file_id}/content?message_id=`.' }),
  mentions: z.array(userId),
  reactions: z.array(reaction),
  pinned_at: timestamp.nullable(),
  system: z
    .object({ kind: z.string(), payload: z.record(z.string(), z.unknown()) })
    .nullable()
    .meta({ description: 'The change that a `system` message records.' }),
  unread_count: z.int().min(0).meta({ description: 'Number of members who have not read it yet.' }),
  client_message_id: z.string().nullable(),
  rev: z.int().min(0).meta({ description: 'Number of edits.' }),
  cseq: z.int().min(0).meta({
    description:
      'Position of its last change in the change log of the room; of two copies the one with the higher value is newer.',
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
  file: null,
  mentions: [],
  reactions: [{ emoji: '👍', count: 2, me: true }],
  pinned_at: null,
  system: null,
  unread_count: 3,
  client_message_id: 'c0ffee00-0001',
  rev: 0,
  cseq: 3,
} satisfies Message

export const messageIdParam = z
  .string()
  .regex(/^[1-9]\d{0,15}:\d{12}$/, 'Must be a message_id returned by the service.')
export const ofMessage = z.object({ room_id: idParam, message_id: messageIdParam })
export const clientMessageId = z
  .string()
  .min(1, { abort: true })
  .max(64, { abort: true })
  .regex(/^[\w.:-]+$/, 'May contain letters, digits and `_ . : -`.')
  .meta({ description: 'Your id of this message: retries with the same id store it once.' })
export const tag = 'messages'
export const oneMessage = (status: 200 | 201, description: string) =>
  ({ status, description, schema: message, example: messageExample }) as const
export const messageProblems = [...roomProblems, 'MESSAGE_NOT_FOUND', 'RATE_LIMITED', 'OVERLOADED'] as const

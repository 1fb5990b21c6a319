import { z } from 'zod'
import { messageId, roomId, seq, timestamp, userId } from '../ids.ts'
import { defineEvent } from './define-event.ts'

const byRoom = (event: { room_id: number }) => String(event.room_id)

/** `system` messages record changes of the room; only chat-service writes them. */
export const messageType = z.enum(['text', 'image', 'file', 'voice', 'video', 'system'])

const messageReference = z.object({ message_id: messageId, room_id: roomId, seq, user_id: userId })

export const messageSent = defineEvent({
  type: 'MessageSent',
  version: 1,
  topic: 'message.events',
  key: byRoom,
  payload: messageReference.extend({
    username: z.string(),
    content: z.string(),
    message_type: messageType,
    created_at: timestamp,
    reply_to: messageId.nullable(),
    mentions: z.array(userId).optional(),
    /** media-service keeps the file while any message refers to it. */
    file_id: z.uuid().optional(),
  }),
})

export const messageEdited = defineEvent({
  type: 'MessageEdited',
  version: 1,
  topic: 'message.events',
  key: byRoom,
  payload: messageReference.extend({
    content: z.string(),
    /** 0 for the message as sent, then 1, 2, ... for each edit. */
    rev: z.int().positive(),
    edited_at: timestamp,
    mentions: z.array(userId).optional(),
  }),
})

export const messageDeleted = defineEvent({
  type: 'MessageDeleted',
  version: 1,
  topic: 'message.events',
  key: byRoom,
  payload: messageReference.extend({ deleted_by: userId, deleted_at: timestamp }),
})

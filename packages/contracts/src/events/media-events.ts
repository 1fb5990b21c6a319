import { z } from 'zod'
import { messageId, roomId, userId } from '../ids.ts'
import { defineEvent } from './define-event.ts'

const byUser = (event: { user_id: number }) => String(event.user_id)

/** A file passed its checks and can be sent or shown. */
export const fileReady = defineEvent({
  type: 'FileReady',
  version: 1,
  topic: 'media.events',
  key: byUser,
  payload: z.object({
    user_id: userId,
    file_id: z.uuid(),
    purpose: z.enum(['attachment', 'avatar', 'room_picture']),
    kind: z.enum(['image', 'video', 'audio', 'document']),
    mime: z.string(),
    size: z.int().min(0),
  }),
})

const documentType = z.enum(['xlsx', 'pdf', 'image'])

/** The room and the message in which a member requested the analysis of a file. */
const request = z.object({ room_id: roomId, message_id: messageId })

/** A document was analyzed. A report requested in a room is posted there as a file of the requester. */
export const documentProcessed = defineEvent({
  type: 'DocumentProcessed',
  version: 1,
  topic: 'media.events',
  key: byUser,
  payload: z.object({
    user_id: userId,
    document_id: z.uuid(),
    type: documentType,
    pages: z.int().min(0),
    report: request
      .extend({
        file_id: z.uuid(),
        name: z.string(),
        size: z.int().positive(),
        summary: z.array(z.string()),
      })
      .nullable(),
  }),
})

/** The analysis of a document failed permanently. */
export const documentFailed = defineEvent({
  type: 'DocumentFailed',
  version: 1,
  topic: 'media.events',
  key: byUser,
  payload: z.object({
    user_id: userId,
    document_id: z.uuid(),
    code: z.string(),
    request: request.nullable(),
  }),
})

export const documentDeleted = defineEvent({
  type: 'DocumentDeleted',
  version: 1,
  topic: 'media.events',
  key: byUser,
  payload: z.object({ user_id: userId, document_id: z.uuid() }),
})

/** A voice practice recording was scored. */
export const audioAnalysed = defineEvent({
  type: 'AudioAnalysed',
  version: 1,
  topic: 'media.events',
  key: byUser,
  payload: z.object({
    user_id: userId,
    job_id: z.uuid(),
    token_id: z.int().positive(),
    overall: z.number().min(0).max(100),
  }),
})

/** media-service has erased its data of a deleted account: one step of the deletion. */
export const mediaDataErased = defineEvent({
  type: 'MediaDataErased',
  version: 1,
  topic: 'media.events',
  key: byUser,
  payload: z.object({ user_id: userId, deletion_id: z.uuid() }),
})

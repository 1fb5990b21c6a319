import { z } from 'zod'
import { userId } from '../ids.ts'
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
    purpose: z.enum(['attachment', 'avatar']),
    kind: z.enum(['image', 'video', 'audio', 'document']),
    mime: z.string(),
    size: z.int().min(0),
  }),
})

/** Everything media-service held of a deleted account is gone: a step of the account's deletion. */
export const mediaDataErased = defineEvent({
  type: 'MediaDataErased',
  version: 1,
  topic: 'media.events',
  key: byUser,
  payload: z.object({ user_id: userId, deletion_id: z.uuid() }),
})

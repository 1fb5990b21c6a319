import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { documentId, storedDocument, tag } from './document-shapes.ts'

export const createSocketTicket = defineRoute({
  operationId: 'createSocketTicket',
  method: 'POST',
  path: '/ws/tickets',
  tag,
  summary: 'Create a ticket for the WebSocket of your documents',
  description:
    'Single use, valid for 30 seconds: open `/ws?ticket=`. The first frame is `connected` with the unfinished documents; then `document_processing`, `document_completed`, `document_failed`, `document_cancelled` and `document_deleted`, each with the document. Frames are notifications: after a reconnect, fetch missed changes with `GET /documents`.',
  success: {
    status: 201,
    description: 'Open `/ws?ticket=`.',
    schema: z.object({ ticket: z.string(), expires_in: z.int() }),
    example: { ticket: 'k3sN2x8Zq0dWw1oH6uTz4bVfYjR5aLpE', expires_in: 30 },
  },
})

const ofOne = z.object({ document: storedDocument })
/** The WebSocket frames by `type`. */
export const documentFrames = {
  connected: z.object({ documents: z.array(storedDocument) }),
  document_pending: ofOne,
  document_processing: ofOne,
  document_completed: ofOne,
  document_failed: ofOne,
  document_cancelled: ofOne,
  document_deleted: z.object({ document_id: documentId }),
} as const
export type DocumentFrame = {
  [Name in keyof typeof documentFrames]: { type: Name } & z.infer<(typeof documentFrames)[Name]>
}[keyof typeof documentFrames]

import { z } from 'zod'
import { timestamp, userId } from '../ids.ts'
import { typedText } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import {
  documentExample,
  documentId,
  documentStatus,
  documentType,
  envelopeOf,
  errors,
  ofDocument,
  type StoredDocument,
  storedDocument,
  tag,
} from './document-shapes.ts'
import { storedFile, storedFileExample } from './file-shapes.ts'
import { messageIdParam } from './message-shapes.ts'
import { wholeNumber } from './paging.ts'
import { recording, recordingExample } from './practice-shapes.ts'

export const maxDocumentBytes = 10 * 1024 * 1024

/** A document in an account's archive: metadata without the bytes, which `content` and `download` return. */
export const exportFiles = defineRoute({
  operationId: 'exportFiles',
  method: 'GET',
  path: '/files/export',
  tag: 'files',
  summary: "Your files, documents and recordings, for your account's archive",
  success: {
    status: 200,
    description:
      'Your files, documents and recordings; fetch their bytes one by one. Bookmarks of voice practice.',
    schema: z.object({
      user_id: userId,
      exported_at: timestamp,
      files: z.array(storedFile),
      documents: z.array(storedDocument),
      recordings: z.array(recording),
      bookmarks: z.array(z.object({ token_id: z.int().positive(), created_at: timestamp })),
    }),
    example: {
      user_id: 100,
      exported_at: '2026-01-28T00:00:00.000Z',
      files: [storedFileExample],
      documents: [documentExample],
      recordings: [recordingExample],
      bookmarks: [],
    },
  },
})

const oneDocument = (
  status: 200 | 201 | 202,
  description: string,
  example: Partial<StoredDocument> = {},
) => ({
  status,
  description,
  schema: envelopeOf(storedDocument),
  example: { success: true, message: description, data: { ...documentExample, ...example } },
})
const waiting: Partial<StoredDocument> = {
  status: 'pending',
  progress: 0,
  language: null,
  pages: null,
  tables: null,
  facts: null,
  characters: null,
  summary: [],
  finished_at: null,
}

export const uploadDocument = defineRoute({
  operationId: 'uploadDocument',
  method: 'POST',
  path: '/documents/upload',
  tag,
  summary: 'Upload a document of up to 10 MB for analysis',
  description:
    '`multipart/form-data` with one part, `file`: xlsx, pdf, or an image. Workers extract text, tables and key facts and write a report; `GET /documents/{document_id}` and the WebSocket of `createSocketTicket` report the progress.',
  bodyType: 'multipart',
  errors,
  success: oneDocument(202, 'The document is stored and queued.', waiting),
  problems: [
    'FILE_MISSING',
    'FILE_EMPTY',
    'FILE_TOO_LARGE',
    'FILE_TYPE_REFUSED',
    'QUOTA_EXCEEDED',
    'UPLOAD_CUT',
    'MEDIA_TYPE_UNSUPPORTED',
    'VALIDATION_FAILED',
  ],
})

export const analyzeMessage = defineRoute({
  operationId: 'analyzeMessage',
  method: 'POST',
  path: '/documents/analyze',
  tag,
  summary: 'Analyze the file of a message that you can see',
  description:
    'Creates a document of yours from the file. The report is posted in the room as your reply to that message, if you may still write there.',
  body: z.strictObject({ message_id: messageIdParam }),
  bodyExample: { message_id: '7:000000000012' },
  errors,
  success: oneDocument(202, 'The document is stored and queued.', {
    ...waiting,
    room_id: 7,
    message_id: '7:000000000012',
  }),
  problems: ['FILE_NOT_FOUND', 'FILE_NOT_READY', 'FILE_TOO_LARGE', 'FILE_TYPE_REFUSED', 'QUOTA_EXCEEDED'],
})

export const listDocuments = defineRoute({
  operationId: 'listDocuments',
  method: 'GET',
  path: '/documents',
  tag,
  summary: 'Your documents, newest first',
  query: z.object({
    status: documentStatus.optional(),
    type: documentType.optional(),
    search: typedText({ max: 100 }).optional().meta({ description: 'Matches part of the name.' }),
    page: wholeNumber({ min: 1, max: 100_000 }).default(1),
    page_size: wholeNumber({ min: 1, max: 100 }).default(20),
  }),
  errors,
  success: {
    status: 200,
    description: 'A page of documents.',
    schema: z.object({
      success: z.literal(true),
      message: z.string(),
      data: z.array(storedDocument),
      total: z.int().min(0),
      page: z.int().positive(),
      page_size: z.int().positive(),
      total_pages: z.int().min(0),
    }),
    example: {
      success: true,
      message: 'A page of documents.',
      data: [documentExample],
      total: 1,
      page: 1,
      page_size: 20,
      total_pages: 1,
    },
  },
})

export const getDocumentStats = defineRoute({
  operationId: 'getDocumentStats',
  method: 'GET',
  path: '/documents/stats/summary',
  tag,
  summary: 'How many documents you have, by status and type',
  errors,
  success: {
    status: 200,
    description: 'Counts and processing times of your documents.',
    schema: envelopeOf(
      z.object({
        total: z.int().min(0),
        by_status: z.object({
          pending: z.int().min(0),
          processing: z.int().min(0),
          completed: z.int().min(0),
          failed: z.int().min(0),
          cancelled: z.int().min(0),
        }),
        by_type: z.object({ xlsx: z.int().min(0), pdf: z.int().min(0), image: z.int().min(0) }),
        bytes: z.int().min(0),
        average_seconds: z.number().nullable().meta({
          description: 'Time from the upload to the end of the analysis; null when none has ended.',
        }),
      }),
    ),
    example: {
      success: true,
      message: 'Counts and processing times of your documents.',
      data: {
        total: 3,
        by_status: { pending: 0, processing: 1, completed: 2, failed: 0, cancelled: 0 },
        by_type: { xlsx: 1, pdf: 2, image: 0 },
        bytes: 148_213,
        average_seconds: 2.4,
      },
    },
  },
})

export const getDocument = defineRoute({
  operationId: 'getDocument',
  method: 'GET',
  path: '/documents/:document_id',
  tag,
  summary: 'One of your documents',
  params: ofDocument,
  errors,
  success: oneDocument(200, 'The document.'),
  problems: ['DOCUMENT_NOT_FOUND'],
})

export const deleteDocument = defineRoute({
  operationId: 'deleteDocument',
  method: 'DELETE',
  path: '/documents/:document_id',
  tag,
  summary: 'Delete a document and its reports; a running analysis is cancelled',
  params: ofDocument,
  errors,
  success: {
    status: 200,
    description: 'The document is deleted.',
    schema: envelopeOf(z.object({ document_id: documentId })),
    example: {
      success: true,
      message: 'The document is deleted.',
      data: { document_id: documentExample.document_id },
    },
  },
  problems: ['DOCUMENT_NOT_FOUND'],
})

export const reprocessDocument = defineRoute({
  operationId: 'reprocessDocument',
  method: 'POST',
  path: '/documents/:document_id/reprocess',
  tag,
  summary: 'Analyze a document again',
  params: ofDocument,
  errors,
  success: oneDocument(202, 'The document is queued.', waiting),
  problems: ['DOCUMENT_NOT_FOUND', 'DOCUMENT_BUSY', 'DOCUMENT_REFUSED'],
})

export const cancelDocument = defineRoute({
  operationId: 'cancelDocument',
  method: 'POST',
  path: '/documents/:document_id/cancel',
  tag,
  summary: 'Stop the analysis of a document',
  description: 'A queued analysis stops immediately, a running one within 6 seconds.',
  params: ofDocument,
  errors,
  success: oneDocument(202, 'The analysis is being stopped.', { ...waiting, status: 'cancelled' }),
  problems: ['DOCUMENT_NOT_FOUND', 'DOCUMENT_NOT_RUNNING'],
})

import { z } from 'zod'
import { roomId, timestamp, userId } from '../ids.ts'
import { typedText } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { storedFile, storedFileExample } from './file-shapes.ts'
import { messageIdParam } from './message-shapes.ts'
import { wholeNumber } from './paging.ts'

const tag = 'documents'
/** Responses and errors of the documents API use an envelope of their own. */
const errors = 'envelope' as const

export const maxDocumentBytes = 10 * 1024 * 1024

const documentId = z.uuid().meta({ examples: ['01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c'] })
export const documentType = z.enum(['xlsx', 'pdf', 'image'])
export const documentStatus = z.enum(['pending', 'processing', 'completed', 'failed', 'cancelled'])

export const storedDocument = z.object({
  document_id: documentId,
  name: z.string(),
  type: documentType,
  mime: z.string(),
  size: z.int().min(0).meta({ description: 'Bytes.' }),
  status: documentStatus,
  progress: z.int().min(0).max(100),
  stage: z.string().nullable().meta({ description: 'The current processing stage.' }),
  error_code: z.string().nullable().meta({ description: 'Why it failed.' }),
  error_detail: z.string().nullable(),
  language: z.string().nullable(),
  pages: z.int().min(0).nullable().meta({ description: 'Number of pages or sheets read.' }),
  tables: z.int().min(0).nullable(),
  facts: z.int().min(0).nullable(),
  characters: z.int().min(0).nullable(),
  summary: z.array(z.string()),
  room_id: roomId.nullable().meta({ description: 'The room in which the analysis was requested.' }),
  message_id: z.string().nullable(),
  created_at: timestamp,
  finished_at: timestamp.nullable(),
})
export type StoredDocument = z.infer<typeof storedDocument>

export const documentExample: StoredDocument = {
  document_id: '01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c',
  name: '거래명세서.pdf',
  type: 'pdf',
  mime: 'application/pdf',
  size: 48_213,
  status: 'completed',
  progress: 100,
  stage: null,
  error_code: null,
  error_detail: null,
  language: 'ko',
  pages: 2,
  tables: 2,
  facts: 8,
  characters: 1_204,
  summary: ['수요자는 검수 완료 후 30일 이내에 대금을 지급하여야 한다.'],
  room_id: null,
  message_id: null,
  created_at: '2026-01-27T10:00:00.000Z',
  finished_at: '2026-01-27T10:00:02.000Z',
}

/** A document in an account's archive: metadata without the bytes, which `content` and `download` return. */
export const exportFiles = defineRoute({
  operationId: 'exportFiles',
  method: 'GET',
  path: '/files/export',
  tag: 'files',
  summary: "Your files and documents, for your account's archive",
  success: {
    status: 200,
    description: 'Your files and documents; fetch their bytes one by one.',
    schema: z.object({
      user_id: userId,
      exported_at: timestamp,
      files: z.array(storedFile),
      documents: z.array(storedDocument),
    }),
    example: {
      user_id: 100,
      exported_at: '2026-01-28T00:00:00.000Z',
      files: [storedFileExample],
      documents: [documentExample],
    },
  },
})

const envelopeOf = <Data extends z.ZodType>(data: Data) =>
  z.object({ success: z.literal(true), message: z.string(), data })

const ofDocument = z.object({ document_id: documentId })
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

/** The failure of a `/documents` operation. */
export const failureEnvelope = z.object({
  success: z.literal(false),
  message: z.string(),
  error_code: z.string().meta({ description: 'Stable; listed in docs/errors.md.' }),
  details: z.object({
    status: z.int(),
    request_id: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  }),
})
export type FailureEnvelope = z.infer<typeof failureEnvelope>

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

const tableRows = z.array(z.array(z.string()))
export const extractedData = z.object({
  type: documentType,
  language: z.string().nullable(),
  pages_total: z.int().min(0),
  pages_read: z.int().min(0),
  warnings: z.array(z.string()).meta({ description: 'Parts that could not be read.' }),
  summary: z.array(z.string()),
  facts: z.array(
    z.object({
      kind: z.enum(['date', 'amount_krw', 'email', 'phone', 'business_number', 'percent']),
      value: z.string().meta({ description: 'Normalized.' }),
      text: z.string().meta({ description: 'The value as written in the document.' }),
      page: z.int().positive(),
      count: z.int().positive(),
    }),
  ),
  tables: z.array(z.object({ page: z.int().positive(), name: z.string().nullable(), rows: tableRows })),
  text: z.array(z.object({ page: z.int().positive(), name: z.string().nullable(), text: z.string() })),
})

export const getExtractedData = defineRoute({
  operationId: 'getExtractedData',
  method: 'GET',
  path: '/documents/:document_id/extracted-data',
  tag,
  summary: 'Text, tables and key facts of a document',
  params: ofDocument,
  errors,
  success: {
    status: 200,
    description: 'The extracted content.',
    schema: envelopeOf(extractedData),
    example: {
      success: true,
      message: 'The extracted content.',
      data: {
        type: 'pdf',
        language: 'ko',
        pages_total: 1,
        pages_read: 1,
        warnings: [],
        summary: documentExample.summary,
        facts: [{ kind: 'date', value: '2026-03-15', text: '2026년 3월 15', page: 1, count: 1 }],
        tables: [{ page: 1, name: null, rows: [['품목', '금액']] }],
        text: [{ page: 1, name: null, text: '작성일자: 2026년 3월 15일' }],
      },
    },
  },
  problems: ['DOCUMENT_NOT_FOUND', 'DOCUMENT_NOT_READY'],
})

const reportFormat = z.enum(['html', 'pdf', 'json'])

export const listDocumentReports = defineRoute({
  operationId: 'listDocumentReports',
  method: 'GET',
  path: '/documents/:document_id/reports',
  tag,
  summary: 'The reports on a document',
  params: ofDocument,
  errors,
  success: {
    status: 200,
    description: 'The reports and their addresses.',
    schema: envelopeOf(z.array(z.object({ format: reportFormat, path: z.string() }))),
    example: {
      success: true,
      message: 'The reports and their addresses.',
      data: [{ format: 'html', path: `/documents/${documentExample.document_id}/reports/html` }],
    },
  },
  problems: ['DOCUMENT_NOT_FOUND', 'DOCUMENT_NOT_READY'],
})

export const getDocumentReport = defineRoute({
  operationId: 'getDocumentReport',
  method: 'GET',
  path: '/documents/:document_id/reports/:format',
  tag,
  summary: 'The report on a document as HTML, PDF, or JSON',
  params: ofDocument.extend({ format: reportFormat }),
  errors,
  success: { status: 200, description: 'The report.', contentType: 'application/octet-stream' },
  problems: ['DOCUMENT_NOT_FOUND', 'DOCUMENT_NOT_READY'],
})

export const downloadDocument = defineRoute({
  operationId: 'downloadDocument',
  method: 'GET',
  path: '/documents/:document_id/download',
  tag,
  summary: 'The bytes of a document',
  params: ofDocument,
  errors,
  success: { status: 200, description: 'The bytes.', contentType: 'application/octet-stream' },
  problems: ['DOCUMENT_NOT_FOUND', 'DOCUMENT_NOT_READY'],
})

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

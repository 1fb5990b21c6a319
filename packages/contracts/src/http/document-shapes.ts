import { z } from 'zod'
import { roomId, timestamp } from '../ids.ts'

export const tag = 'documents'
/** Responses and errors of the documents API use an envelope of their own. */
export const errors = 'envelope' as const

export const documentId = z.uuid().meta({ examples: ['01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c'] })
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

export const envelopeOf = <Data extends z.ZodType>(data: Data) =>
  z.object({ success: z.literal(true), message: z.string(), data })

export const ofDocument = z.object({ document_id: documentId })
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

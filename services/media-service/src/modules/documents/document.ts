import type { StoredDocument } from '@bigtech/contracts'
import type { DocumentType } from '../../extract/documents/extraction.ts'
import type { FileRecord } from '../files/file.ts'

export type DocumentStatus = StoredDocument['status']

/** The message whose room requested an analysis. */
export interface DocumentRequest {
  readonly roomId: number
  readonly messageId: string
}

/** A file and the state of its analysis. `processing` is not stored but derived from the job. */
export interface DocumentRecord {
  readonly id: string
  readonly ownerId: number
  readonly name: string
  readonly type: DocumentType
  readonly mime: string
  readonly size: number
  readonly status: DocumentStatus
  readonly progress: number
  readonly stage: string | null
  readonly jobId: string
  readonly objectKey: string
  /** `refused`: the bytes were deleted. */
  readonly fileState: FileRecord['state']
  readonly error: { readonly code: string; readonly detail: string } | null
  readonly language: string | null
  readonly pages: number | null
  readonly tables: number | null
  readonly facts: number | null
  readonly characters: number | null
  readonly summary: readonly string[]
  readonly request: DocumentRequest | null
  readonly createdAt: Date
  readonly finishedAt: Date | null
}

export const outputKey = (documentId: string, name: string) => `${documentId}/${name}`

/** Returns a document in the API format. */
export function documentView(document: DocumentRecord): StoredDocument {
  return {
    document_id: document.id,
    name: document.name,
    type: document.type,
    mime: document.mime,
    size: document.size,
    status: document.status,
    progress: document.progress,
    stage: document.stage,
    error_code: document.error?.code ?? null,
    error_detail: document.error?.detail ?? null,
    language: document.language,
    pages: document.pages,
    tables: document.tables,
    facts: document.facts,
    characters: document.characters,
    summary: [...document.summary],
    room_id: document.request?.roomId ?? null,
    message_id: document.request?.messageId ?? null,
    created_at: document.createdAt.toISOString(),
    finished_at: document.finishedAt?.toISOString() ?? null,
  }
}

import type { Message } from '@bigtech/contracts'
import { type AuthenticatedContext, Problem } from '@bigtech/service-kit'
import { documentTypeOf } from '../../extract/documents/document-type.ts'
import type { DocumentType } from '../../extract/documents/extraction.ts'
import { extensionOf } from '../../extract/file-types.ts'
import type { FileService } from '../files/file.service.ts'
import type { FileRecord } from '../files/file.ts'
import type { IncomingFile, UploadService } from '../files/upload.service.ts'
import type { DocumentRepository } from './document.repository.ts'
import type { DocumentRecord, DocumentRequest, DocumentStatus } from './document.ts'
import type { DocumentFilter, DocumentQueries } from './document-queries.repository.ts'

export interface DocumentServiceOptions {
  readonly documents: DocumentRepository
  readonly documentQueries: DocumentQueries
  readonly files: FileService
  /** Creates the upload service for documents with that request. */
  readonly uploadsFor: (request: DocumentRequest | null) => UploadService
  readonly findMessage: (ctx: AuthenticatedContext, messageId: string) => Promise<Message | undefined>
}

const statuses = ['pending', 'processing', 'completed', 'failed', 'cancelled'] as const
const types = ['xlsx', 'pdf', 'image'] as const

/** Operations on documents, which are invisible to everyone but their owner. */
export class DocumentService {
  readonly #options: DocumentServiceOptions

  constructor(options: DocumentServiceOptions) {
    this.#options = options
  }

  /** Uploads a document. @throws Problem, as `UploadService.receive` does */
  async upload(ctx: AuthenticatedContext, incoming: IncomingFile): Promise<DocumentRecord> {
    const file = await this.#options.uploadsFor(null).receive(ctx, incoming)
    return this.get(ctx, file.id)
  }

  /**
   * Creates a document from the file of a message visible to the caller.
   * @throws Problem FILE_NOT_FOUND, FILE_NOT_READY, FILE_TYPE_REFUSED, FILE_TOO_LARGE, QUOTA_EXCEEDED
   */
  async analyze(ctx: AuthenticatedContext, messageId: string): Promise<DocumentRecord> {
    const message = await this.#options.findMessage(ctx, messageId)
    const fileId = message?.is_deleted ? undefined : message?.file?.file_id
    if (!message || fileId === undefined) throw new Problem('FILE_NOT_FOUND')
    const source = await this.#options.files.forViewer(ctx, fileId, { variant: 'original', messageId })
    const uploads = this.#options.uploadsFor({ roomId: message.room_id, messageId })
    const file = await uploads.copy(ctx, source, 'document')
    return this.get(ctx, file.id)
  }

  /** Returns a document. @throws Problem DOCUMENT_NOT_FOUND */
  async get(ctx: AuthenticatedContext, id: string): Promise<DocumentRecord> {
    const document = await this.#options.documentQueries.find(id)
    if (document?.ownerId !== ctx.actor.userId) throw new Problem('DOCUMENT_NOT_FOUND')
    return document
  }

  list(ctx: AuthenticatedContext, filter: Omit<DocumentFilter, 'ownerId'>, page: number, size: number) {
    return this.#options.documentQueries.list({ ...filter, ownerId: ctx.actor.userId }, page, size)
  }

  /** Removes a document. @throws Problem DOCUMENT_NOT_FOUND */
  async remove(ctx: AuthenticatedContext, id: string): Promise<void> {
    if (!(await this.#options.documents.remove(id, ctx.actor.userId, ctx.requestId)))
      throw new Problem('DOCUMENT_NOT_FOUND')
  }

  /** Repeats an analysis. @throws Problem DOCUMENT_NOT_FOUND, DOCUMENT_BUSY, DOCUMENT_REFUSED */
  async reprocess(ctx: AuthenticatedContext, id: string): Promise<DocumentRecord> {
    const outcome = await this.#options.documents.reprocess(id, ctx.actor.userId, ctx.requestId)
    if (outcome === 'unknown') throw new Problem('DOCUMENT_NOT_FOUND')
    if (outcome === 'busy') throw new Problem('DOCUMENT_BUSY')
    if (outcome === 'refused') throw new Problem('DOCUMENT_REFUSED')
    return this.get(ctx, id)
  }

  /** Cancels an analysis. @throws Problem DOCUMENT_NOT_FOUND, DOCUMENT_NOT_RUNNING */
  async cancel(ctx: AuthenticatedContext, id: string): Promise<DocumentRecord> {
    const outcome = await this.#options.documents.cancel(id, ctx.actor.userId)
    if (outcome === 'unknown') throw new Problem('DOCUMENT_NOT_FOUND')
    if (outcome === 'over') throw new Problem('DOCUMENT_NOT_RUNNING')
    return this.get(ctx, id)
  }

  /** Returns a document that has a result. @throws Problem DOCUMENT_NOT_FOUND, DOCUMENT_NOT_READY */
  async finished(ctx: AuthenticatedContext, id: string): Promise<DocumentRecord> {
    const document = await this.get(ctx, id)
    if (document.status !== 'completed') throw new Problem('DOCUMENT_NOT_READY', { detail: whyNot(document) })
    return document
  }

  /** Returns a document whose bytes were examined. @throws Problem DOCUMENT_NOT_FOUND, DOCUMENT_NOT_READY */
  async examined(ctx: AuthenticatedContext, id: string): Promise<DocumentRecord> {
    const document = await this.get(ctx, id)
    if (document.fileState !== 'ready') throw new Problem('DOCUMENT_NOT_READY', { detail: whyNot(document) })
    return document
  }

  async stats(ctx: AuthenticatedContext) {
    const rows = await this.#options.documentQueries.stats(ctx.actor.userId)
    const sum = (pick: (row: (typeof rows)[number]) => number) =>
      rows.reduce((all, row) => all + pick(row), 0)
    const count = (of: { status?: DocumentStatus; type?: DocumentType }) =>
      sum((row) =>
        row.status === (of.status ?? row.status) && row.type === (of.type ?? row.type) ? row.count : 0,
      )
    const ended = sum((row) => row.ended)
    return {
      total: sum((row) => row.count),
      by_status: Object.fromEntries(statuses.map((status) => [status, count({ status })])) as Record<
        DocumentStatus,
        number
      >,
      by_type: Object.fromEntries(types.map((type) => [type, count({ type })])) as Record<
        DocumentType,
        number
      >,
      bytes: sum((row) => row.bytes),
      average_seconds: ended === 0 ? null : Math.round((sum((row) => row.seconds) / ended) * 100) / 100,
    }
  }
}

function whyNot({ status, error }: DocumentRecord): string {
  return error ? `The document is ${status}: ${error.detail}` : `The document is ${status}.`
}

/** Returns the reader of a file accepted as a document. */
export function typeOfFile(file: FileRecord): DocumentType {
  return documentTypeOf({ kind: file.kind ?? 'document', extensions: [extensionOf(file.name)] }) ?? 'pdf'
}

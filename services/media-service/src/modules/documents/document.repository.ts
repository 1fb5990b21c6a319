import { documentDeleted, documentFailed, documentProcessed } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import type { DocumentType, ExtractionFigures } from '../../extract/documents/extraction.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import { doomFolder } from '../files/doom.ts'
import type { FileRepository, MadeFile } from '../files/file.repository.ts'
import type { FileRecord } from '../files/file.ts'
import type { FileRemoval } from '../files/file-removal.repository.ts'
import type { JobRepository } from '../jobs/job.repository.ts'
import { cancelled, type JobFailure } from '../jobs/job.ts'
import type { DocumentRecord, DocumentRequest } from './document.ts'
import type { DocumentRow } from './document-queries.repository.ts'

/** Documents follow chat files, which users wait for; repeated analyses come last. */
const PRIORITY = { first: 6, again: 7 } as const

export interface DocumentRepositoryOptions {
  readonly mysql: Mysql
  readonly jobs: JobRepository
  readonly files: FileRepository
  readonly fileRemoval: FileRemoval
  readonly outbox: Outbox
}

/** What becomes of documents. Each change locks its document, and goes with its job and its events or not at all. */
export class DocumentRepository {
  readonly #mysql: Mysql
  readonly #jobs: JobRepository
  readonly #files: FileRepository
  readonly #fileRemoval: FileRemoval
  readonly #outbox: Outbox

  constructor({ mysql, jobs, files, fileRemoval, outbox }: DocumentRepositoryOptions) {
    this.#mysql = mysql
    this.#jobs = jobs
    this.#files = files
    this.#fileRemoval = fileRemoval
    this.#outbox = outbox
  }

  /** Creates a document from a received file and queues its analysis. The document stays until its owner deletes it. */
  async begin(
    tx: Tx,
    file: FileRecord,
    more: { type: DocumentType; request: DocumentRequest | null; requestId: string },
  ): Promise<void> {
    const { id, ownerId } = file
    const jobId = await this.#enqueue(tx, { id, ownerId }, PRIORITY.first, more.requestId)
    await tx.file.updateMany({ where: { id }, data: { expiresAt: null } })
    await tx.document.create({
      data: {
        id,
        ownerId,
        type: more.type,
        state: 'pending',
        jobId,
        roomId: more.request?.roomId ?? null,
        messageId: more.request?.messageId ?? null,
        createdAt: file.createdAt,
      },
    })
  }

  /** Removes a document, its bytes and its job. Returns false when the owner has no such document. */
  remove(id: string, ownerId: number, requestId: string): Promise<boolean> {
    return this.#mysql.transaction('removeDocument', async (tx) => {
      const document = await lock(tx, id, ownerId)
      if (!document) return false
      await this.#jobs.cancel(tx, document.job_id)
      await this.#fileRemoval.removeIn(tx, id, ownerId)
      await this.#outbox.enqueue(
        tx,
        documentDeleted,
        { user_id: ownerId, document_id: id },
        { correlationId: requestId },
      )
      return true
    })
  }

  /** Queues another analysis. */
  reprocess(
    id: string,
    ownerId: number,
    requestId: string,
  ): Promise<'queued' | 'busy' | 'refused' | 'unknown'> {
    return this.#mysql.transaction('reprocessDocument', async (tx) => {
      const document = await lock(tx, id, ownerId)
      if (!document) return 'unknown'
      if (document.state === 'pending') return 'busy'
      if (document.file_state === 'refused') return 'refused'
      const jobId = await this.#enqueue(tx, { id, ownerId }, PRIORITY.again, requestId)
      await tx.document.update({ where: { id }, data: { ...waiting, jobId } })
      return 'queued'
    })
  }

  /** Cancels the analysis: immediately while queued, else at the worker's next heartbeat. */
  cancel(id: string, ownerId: number): Promise<'done' | 'over' | 'unknown'> {
    return this.#mysql.transaction('cancelDocument', async (tx) => {
      const document = await lock(tx, id, ownerId)
      if (!document) return 'unknown'
      if (document.state !== 'pending') return 'over'
      const outcome = await this.#jobs.cancel(tx, document.job_id)
      if (outcome === undefined) return 'over'
      if (outcome === 'cancelled') await this.end(tx, id, cancelled())
      return 'done'
    })
  }

  /** Stores a successful analysis, with the report for the requesting room. */
  async complete(
    tx: Tx,
    document: DocumentRecord,
    figures: ExtractionFigures,
    more: { report: MadeFile | null; requestId: string },
  ): Promise<void> {
    const { summary, ...numbers } = figures
    const changed = await tx.document.updateMany({
      where: { id: document.id, state: 'pending' },
      data: {
        ...numbers,
        summary: JSON.stringify(summary),
        state: 'completed',
        errorCode: null,
        errorDetail: null,
        finishedAt: new Date(),
      },
    })
    if (changed.count === 0) {
      await doomFolder(tx, document.id)
      if (more.report) await doomFolder(tx, more.report.id)
      return
    }
    if (more.report) await this.#files.addMade(tx, more.report)
    const report = more.report &&
      document.request && {
        room_id: document.request.roomId,
        message_id: document.request.messageId,
        file_id: more.report.id,
        name: more.report.name,
        size: more.report.size,
        summary: [...summary],
      }
    await this.#outbox.enqueue(
      tx,
      documentProcessed,
      {
        user_id: document.ownerId,
        document_id: document.id,
        type: document.type,
        pages: figures.pages,
        report,
      },
      { correlationId: more.requestId },
    )
  }

  /**
   * Stores an unsuccessful analysis. Deletes content that was refused or that crashed its reader or exceeded
   * a limit; keeps it after an outage or a cancellation for a retry.
   */
  async end(
    tx: Tx,
    id: string,
    failure: Pick<JobFailure, 'code' | 'detail'>,
    isRefused = false,
  ): Promise<void> {
    const document = await lock(tx, id)
    if (!document) return doomFolder(tx, id)
    if (document.state !== 'pending') return
    if (document.file_state === 'checking' && (isRefused || failure.code === 'CHECK_FAILED'))
      await this.#files.refuse(tx, id, failure)
    const isCancelled = failure.code === 'CANCELLED'
    await tx.document.update({
      where: { id },
      data: {
        state: isCancelled ? 'cancelled' : 'failed',
        errorCode: failure.code,
        errorDetail: failure.detail,
        finishedAt: new Date(),
      },
    })
    if (isCancelled) return
    const { room_id: roomId, message_id: messageId } = document
    const request =
      roomId === null || messageId === null ? null : { room_id: Number(roomId), message_id: messageId }
    await this.#outbox.enqueue(
      tx,
      documentFailed,
      { user_id: Number(document.owner_id), document_id: id, code: failure.code, request },
      { correlationId: document.job_id },
    )
  }

  /** Resets a document for a job retried by an operator. Returns false when its bytes are gone. */
  async waitAgain(tx: Tx, id: string): Promise<boolean> {
    const document = await lock(tx, id)
    if (!document || document.file_state === 'refused' || document.state === 'completed') return false
    await tx.document.update({ where: { id }, data: waiting })
    return true
  }

  #enqueue(tx: Tx, document: { id: string; ownerId: number }, priority: number, requestId: string) {
    const { id: subjectId, ownerId } = document
    return this.#jobs.enqueue(tx, { kind: 'process_document', subjectId, ownerId, requestId, priority })
  }
}

const waiting = { state: 'pending', errorCode: null, errorDetail: null, finishedAt: null }

type Locked = Pick<
  DocumentRow,
  'id' | 'owner_id' | 'state' | 'job_id' | 'room_id' | 'message_id' | 'file_state'
>

async function lock(tx: Tx, id: string, ownerId?: number): Promise<Locked | undefined> {
  // Raw: Prisma has no FOR UPDATE.
  const [row] = await tx.$queryRaw<Locked[]>`
    SELECT d.id, d.owner_id, d.state, d.job_id, d.room_id, d.message_id, f.state AS file_state
    FROM documents d JOIN files f ON f.id = d.id WHERE d.id = ${id} FOR UPDATE`
  return ownerId === undefined || Number(row?.owner_id) === ownerId ? row : undefined
}

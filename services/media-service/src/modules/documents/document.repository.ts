import { documentDeleted, documentFailed, documentProcessed } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import type { DocumentType, ExtractionFigures } from '../../extract/documents/extraction.ts'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import type { FileRepository, MadeFile } from '../files/file.repository.ts'
import type { FileRecord } from '../files/file.ts'
import type { JobRepository } from '../jobs/job.repository.ts'
import { cancelled, type JobFailure } from '../jobs/job.ts'
import type { DocumentRecord, DocumentRequest, DocumentStatus } from './document.ts'

export interface DocumentFilter {
  readonly ownerId: number
  readonly status?: DocumentStatus | undefined
  readonly type?: DocumentType | undefined
  readonly search?: string | undefined
}

interface Row {
  readonly id: string
  readonly owner_id: bigint
  readonly type: DocumentType
  readonly state: Exclude<DocumentStatus, 'processing'>
  readonly job_id: string
  readonly language: string | null
  readonly pages: number | null
  readonly tables: number | null
  readonly facts: number | null
  readonly characters: number | null
  readonly summary: string | null
  readonly error_code: string | null
  readonly error_detail: string | null
  readonly room_id: bigint | null
  readonly message_id: string | null
  readonly created_at: Date
  readonly finished_at: Date | null
  readonly name: string
  readonly mime: string
  readonly size_bytes: bigint
  readonly object_key: string
  readonly file_state: FileRecord['state']
  readonly job_state: string | null
  readonly progress: number | null
  readonly stage: string | null
  readonly cancel_requested: number | boolean | null
}

/** Documents follow chat files, which users wait for; repeated analyses come last. */
const PRIORITY = { first: 6, again: 7 } as const
/** Time for which ended analyses are reported to polling sockets. */
const RECENT_SECONDS = 60
const MAX_WATCHED = 500

const columns = Prisma.sql`
  d.*, f.name, f.mime, f.size_bytes, f.object_key, f.state AS file_state,
  j.state AS job_state, j.progress, j.stage, j.cancel_requested
  FROM documents d JOIN files f ON f.id = d.id LEFT JOIN jobs j ON j.id = d.job_id`

export interface DocumentRepositoryOptions {
  readonly mysql: Mysql
  readonly jobs: JobRepository
  readonly files: FileRepository
  readonly outbox: Outbox
}

/**
 * Documents, each with its file and its newest job. Reads are raw: one statement joins the three, and the
 * status used in filters and counts depends on the job, which is no relation of the schema.
 */
export class DocumentRepository {
  readonly #mysql: Mysql
  readonly #jobs: JobRepository
  readonly #files: FileRepository
  readonly #outbox: Outbox

  constructor({ mysql, jobs, files, outbox }: DocumentRepositoryOptions) {
    this.#mysql = mysql
    this.#jobs = jobs
    this.#files = files
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

  async find(id: string): Promise<DocumentRecord | undefined> {
    const [row] = await this.#mysql.run(
      'findDocument',
      (db) => db.$queryRaw<Row[]>`SELECT ${columns} WHERE d.id = ${id}`,
    )
    return row && toRecord(row)
  }

  /** Returns a page, newest first, and the total count. @param page from 1 */
  list(
    filter: DocumentFilter,
    page: number,
    size: number,
  ): Promise<{ rows: DocumentRecord[]; total: number }> {
    const where = conditionsOf(filter)
    return this.#mysql.run('listDocuments', async (db) => {
      const [rows, [count]] = await Promise.all([
        db.$queryRaw<Row[]>`
          SELECT ${columns} WHERE ${where} ORDER BY d.id DESC LIMIT ${size} OFFSET ${(page - 1) * size}`,
        db.$queryRaw<{ total: bigint }[]>`
          SELECT COUNT(*) AS total FROM documents d JOIN files f ON f.id = d.id
            LEFT JOIN jobs j ON j.id = d.job_id WHERE ${where}`,
      ])
      return { rows: rows.map(toRecord), total: Number(count?.total ?? 0) }
    })
  }

  /** Returns all documents of an owner, oldest first. */
  async all(ownerId: number): Promise<DocumentRecord[]> {
    const rows = await this.#mysql.run(
      'exportDocuments',
      (db) => db.$queryRaw<Row[]>`SELECT ${columns} WHERE d.owner_id = ${ownerId} ORDER BY d.id`,
    )
    return rows.map(toRecord)
  }

  /** Returns unfinished and recently ended documents of these users. */
  async watched(ownerIds: readonly number[]): Promise<DocumentRecord[]> {
    if (ownerIds.length === 0) return []
    const owners = Prisma.join([...ownerIds])
    const rows = await this.#mysql.run(
      'watchDocuments',
      (db) => db.$queryRaw<Row[]>`
        SELECT ${columns} WHERE d.owner_id IN (${owners}) AND (d.state = 'pending'
          OR d.finished_at > UTC_TIMESTAMP(3) - INTERVAL ${RECENT_SECONDS} SECOND)
        ORDER BY d.id DESC LIMIT ${MAX_WATCHED}`,
    )
    return rows.map(toRecord)
  }

  /** Returns counts by status and type, total bytes, and the mean seconds from upload to end. */
  async stats(ownerId: number) {
    const rows = await this.#mysql.run(
      'documentStats',
      (db) => db.$queryRaw<
        {
          status: DocumentStatus
          type: DocumentType
          count: bigint
          bytes: unknown
          seconds: unknown
          ended: bigint
        }[]
      >`
        SELECT IF(d.state = 'pending' AND j.state = 'running', 'processing', d.state) AS status, d.type,
          COUNT(*) AS count, SUM(f.size_bytes) AS bytes, COUNT(d.finished_at) AS ended,
          SUM(TIMESTAMPDIFF(MICROSECOND, d.created_at, d.finished_at)) / 1000000 AS seconds
        FROM documents d JOIN files f ON f.id = d.id LEFT JOIN jobs j ON j.id = d.job_id
        WHERE d.owner_id = ${ownerId} GROUP BY status, d.type`,
    )
    return rows.map(({ status, type, count, bytes, seconds, ended }) => ({
      status,
      type,
      count: Number(count),
      bytes: Number(bytes ?? 0),
      seconds: Number(seconds ?? 0),
      ended: Number(ended),
    }))
  }

  /** Removes a document, its bytes and its job. Returns false when the owner has no such document. */
  remove(id: string, ownerId: number, requestId: string): Promise<boolean> {
    return this.#mysql.transaction('removeDocument', async (tx) => {
      const document = await lock(tx, id, ownerId)
      if (!document) return false
      await this.#jobs.cancel(tx, document.job_id)
      await this.#files.removeIn(tx, id, ownerId)
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
      await this.#files.doomFolder(tx, document.id)
      if (more.report) await this.#files.doomFolder(tx, more.report.id)
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
    if (!document) return this.#files.doomFolder(tx, id)
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

type Locked = Pick<Row, 'id' | 'owner_id' | 'state' | 'job_id' | 'room_id' | 'message_id' | 'file_state'>

async function lock(tx: Tx, id: string, ownerId?: number): Promise<Locked | undefined> {
  // Raw: Prisma has no FOR UPDATE.
  const [row] = await tx.$queryRaw<Locked[]>`
    SELECT d.id, d.owner_id, d.state, d.job_id, d.room_id, d.message_id, f.state AS file_state
    FROM documents d JOIN files f ON f.id = d.id WHERE d.id = ${id} FOR UPDATE`
  return ownerId === undefined || Number(row?.owner_id) === ownerId ? row : undefined
}

function conditionsOf({ ownerId, status, type, search }: DocumentFilter): Prisma.Sql {
  const conditions = [Prisma.sql`d.owner_id = ${ownerId}`]
  if (type !== undefined) conditions.push(Prisma.sql`d.type = ${type}`)
  if (status === 'processing') conditions.push(Prisma.sql`d.state = 'pending' AND j.state = 'running'`)
  else if (status === 'pending')
    conditions.push(Prisma.sql`d.state = 'pending' AND (j.state IS NULL OR j.state <> 'running')`)
  else if (status !== undefined) conditions.push(Prisma.sql`d.state = ${status}`)
  if (search !== undefined) {
    const pattern = `%${search.replace(/[\\%_]/g, '\\$&')}%`
    conditions.push(Prisma.sql`f.name LIKE ${pattern}`)
  }
  return Prisma.join(conditions, ' AND ')
}

function toRecord(row: Row): DocumentRecord {
  const isRunning = row.state === 'pending' && row.job_state === 'running'
  return {
    id: row.id,
    ownerId: Number(row.owner_id),
    name: row.name,
    type: row.type,
    mime: row.mime,
    size: Number(row.size_bytes),
    status: isRunning ? 'processing' : row.state,
    progress: row.state === 'completed' ? 100 : isRunning ? (row.progress ?? 0) : 0,
    stage: isRunning ? (row.cancel_requested ? 'cancelling' : row.stage) : null,
    jobId: row.job_id,
    objectKey: row.object_key,
    fileState: row.file_state,
    error: row.error_code === null ? null : { code: row.error_code, detail: row.error_detail ?? '' },
    language: row.language,
    pages: row.pages,
    tables: row.tables,
    facts: row.facts,
    characters: row.characters,
    summary: row.summary === null ? [] : (JSON.parse(row.summary) as string[]),
    request:
      row.room_id === null || row.message_id === null
        ? null
        : { roomId: Number(row.room_id), messageId: row.message_id },
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  }
}

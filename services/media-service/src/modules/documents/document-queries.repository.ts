import type { DocumentType } from '../../extract/documents/extraction.ts'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { FileRecord } from '../files/file.ts'
import type { DocumentRecord, DocumentStatus } from './document.ts'

export interface DocumentFilter {
  readonly ownerId: number
  readonly status?: DocumentStatus | undefined
  readonly type?: DocumentType | undefined
  readonly search?: string | undefined
}

/** A document with its file and its newest job, as a raw statement returns them. */
export interface DocumentRow {
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

/** Time for which ended analyses are reported to polling sockets. */
const RECENT_SECONDS = 60
const MAX_WATCHED = 500

const columns = Prisma.sql`
  d.*, f.name, f.mime, f.size_bytes, f.object_key, f.state AS file_state,
  j.state AS job_state, j.progress, j.stage, j.cancel_requested
  FROM documents d JOIN files f ON f.id = d.id LEFT JOIN jobs j ON j.id = d.job_id`

/**
 * Documents, each with its file and its newest job. Raw: one statement joins the three, and the
 * status used in filters and counts depends on the job, which is no relation of the schema.
 */
export class DocumentQueries {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  async find(id: string): Promise<DocumentRecord | undefined> {
    const [row] = await this.#mysql.run(
      'findDocument',
      (db) => db.$queryRaw<DocumentRow[]>`SELECT ${columns} WHERE d.id = ${id}`,
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
        db.$queryRaw<DocumentRow[]>`
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
      (db) => db.$queryRaw<DocumentRow[]>`SELECT ${columns} WHERE d.owner_id = ${ownerId} ORDER BY d.id`,
    )
    return rows.map(toRecord)
  }

  /** Returns unfinished and recently ended documents of these users. */
  async watched(ownerIds: readonly number[]): Promise<DocumentRecord[]> {
    if (ownerIds.length === 0) return []
    const owners = Prisma.join([...ownerIds])
    const rows = await this.#mysql.run(
      'watchDocuments',
      (db) => db.$queryRaw<DocumentRow[]>`
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

function toRecord(row: DocumentRow): DocumentRecord {
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

import { fileReady, uuidv7 } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import type { File as Row } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import { doom, doomFolder } from './doom.ts'
import {
  type FileKind,
  type FilePurpose,
  type FileRecord,
  type FileVariant,
  originalKey,
  uploadKey,
} from './file.ts'
import { lockUsage, type Usage, usageOf } from './storage-usage.ts'

export interface NewFile {
  readonly ownerId: number
  readonly purpose: FilePurpose
  readonly kind: FileKind
  readonly name: string
  readonly mime: string
  /** Counted against the quota until the true size is known. */
  readonly reservedBytes: number
  readonly keepSeconds: number
}

export interface MadeFile {
  readonly id: string
  readonly ownerId: number
  readonly name: string
  readonly mime: string
  readonly size: number
}

export interface Examined {
  readonly objectKey: string
  readonly mime: string
  readonly size: number
  readonly width: number | null
  readonly height: number | null
  readonly durationMs: number | null
  readonly pages: number | null
  readonly preview: string | null
  readonly waveform: readonly number[] | null
  readonly variants: readonly FileVariant[]
}

const CLAIMED_DAYS = 7
const DAY_MS = 24 * 60 * 60 * 1_000

/** Files. A change that makes an object unnecessary schedules its deletion in the same transaction. */
export class FileRepository {
  readonly #mysql: Mysql
  readonly #outbox: Outbox

  constructor(mysql: Mysql, outbox: Outbox) {
    this.#mysql = mysql
    this.#outbox = outbox
  }

  /** Creates a file within its owner's quota. Returns the remaining bytes instead when it does not fit. */
  begin(file: NewFile, quotaBytes: number): Promise<FileRecord | number> {
    return this.#mysql.transaction('beginFile', async (tx) => {
      const left = quotaBytes - (await lockUsage(tx, file.ownerId)).bytes
      if (file.reservedBytes > left) return Math.max(0, left)
      const id = uuidv7()
      const row = await tx.file.create({
        data: {
          id,
          ownerId: file.ownerId,
          purpose: file.purpose,
          state: 'uploading',
          kind: file.kind,
          name: file.name,
          mime: file.mime,
          sizeBytes: file.reservedBytes,
          objectKey: uploadKey(id),
          variants: '',
          createdAt: new Date(),
          expiresAt: new Date(Date.now() + file.keepSeconds * 1_000),
        },
      })
      return toRecord(row)
    })
  }

  async setUploadId(id: string, uploadId: string): Promise<void> {
    await this.#mysql.run('setUploadId', (db) => db.file.updateMany({ where: { id }, data: { uploadId } }))
  }

  /**
   * Marks the bytes as received and queues the next step in the same transaction. Undefined when the file
   * was removed in the meantime or is past this state.
   */
  arrived(
    id: string,
    size: number,
    keepSeconds: number,
    queue: (tx: Tx, file: FileRecord) => Promise<unknown>,
  ): Promise<FileRecord | undefined> {
    return this.#mysql.transaction('fileArrived', async (tx) => {
      const changed = await tx.file.updateMany({
        where: { id, state: 'uploading' },
        data: {
          state: 'checking',
          sizeBytes: size,
          uploadId: null,
          expiresAt: new Date(Date.now() + keepSeconds * 1_000),
        },
      })
      if (changed.count === 0) {
        // The removal did not know of these bytes yet.
        await doomFolder(tx, id)
        return undefined
      }
      const file = toRecord(await tx.file.findUniqueOrThrow({ where: { id } }))
      await queue(tx, file)
      return file
    })
  }

  async find(id: string): Promise<FileRecord | undefined> {
    const row = await this.#mysql.run('findFile', (db) => db.file.findUnique({ where: { id } }))
    return row ? toRecord(row) : undefined
  }

  /** Returns files newest first. */
  async list(ownerId: number, limit: number, beforeId: string | undefined): Promise<FileRecord[]> {
    const where = {
      ownerId,
      purpose: { not: 'document' },
      ...(beforeId === undefined ? {} : { id: { lt: beforeId } }),
    }
    const rows = await this.#mysql.run('listFiles', (db) =>
      db.file.findMany({ where, orderBy: { id: 'desc' }, take: limit }),
    )
    return rows.map(toRecord)
  }

  /** Returns all files of an owner, oldest first. */
  async all(ownerId: number): Promise<FileRecord[]> {
    const rows = await this.#mysql.run('exportFiles', (db) =>
      db.file.findMany({ where: { ownerId, purpose: { not: 'document' } }, orderBy: { id: 'asc' } }),
    )
    return rows.map(toRecord)
  }

  usage(ownerId: number): Promise<Usage> {
    return this.#mysql.run('storageUsage', (db) => usageOf(db, ownerId))
  }

  /** Reserves a ready file for a message about to be sent. Returns false when it is gone or not ready. */
  async claim(id: string, ownerId: number): Promise<boolean> {
    // Raw: takes the later of two times in the statement itself.
    const changed = await this.#mysql.run(
      'claimFile',
      (db) => db.$executeRaw`
        UPDATE files SET expires_at = GREATEST(COALESCE(expires_at, UTC_TIMESTAMP(3)),
          UTC_TIMESTAMP(3) + INTERVAL ${CLAIMED_DAYS} DAY)
        WHERE id = ${id} AND owner_id = ${ownerId} AND state = 'ready'`,
    )
    return changed > 0
  }

  /** Marks an examined file as ready and publishes it. */
  async makeReady(tx: Tx, file: FileRecord, found: Examined, requestId: string): Promise<void> {
    if (!(await this.accept(tx, file, found))) return
    await this.#outbox.enqueue(
      tx,
      fileReady,
      {
        user_id: file.ownerId,
        file_id: file.id,
        purpose: file.purpose as Exclude<FilePurpose, 'document'>,
        kind: file.kind!,
        mime: found.mime,
        size: found.size,
      },
      { correlationId: requestId },
    )
  }

  /** Stores the result of an examination. Returns false when the file was removed in the meantime. */
  async accept(tx: Tx, file: FileRecord, found: Examined): Promise<boolean> {
    const { waveform, variants, size, ...rest } = found
    const changed = await tx.file.updateMany({
      where: { id: file.id, state: 'checking' },
      data: {
        ...rest,
        sizeBytes: size,
        state: 'ready',
        waveform: waveform === null ? null : JSON.stringify(waveform),
        variants: variants.join(','),
      },
    })
    if (changed.count === 0) {
      await doomFolder(tx, file.id)
      return false
    }
    if (found.objectKey !== file.objectKey) await doom(tx, file.objectKey)
    return true
  }

  /** Stores a file created by the service itself, for a message about to be sent. */
  async addMade(tx: Tx, made: MadeFile): Promise<void> {
    await tx.file.create({
      data: {
        id: made.id,
        ownerId: made.ownerId,
        purpose: 'attachment',
        state: 'ready',
        kind: 'document',
        name: made.name,
        mime: made.mime,
        sizeBytes: made.size,
        objectKey: originalKey(made.id),
        variants: 'original',
        createdAt: new Date(),
        expiresAt: new Date(Date.now() + CLAIMED_DAYS * DAY_MS),
      },
    })
  }

  /** Stores the reason of a refusal for the file's owner, and none of its content. */
  async refuse(tx: Tx, id: string, refusal: { code: string; detail: string }): Promise<void> {
    await tx.file.updateMany({
      where: { id, state: 'checking' },
      data: { state: 'refused', sizeBytes: 0, refusalCode: refusal.code, refusalDetail: refusal.detail },
    })
    await doomFolder(tx, id)
  }
}

function toRecord(row: Row): FileRecord {
  return {
    id: row.id,
    ownerId: Number(row.ownerId),
    purpose: row.purpose as FileRecord['purpose'],
    state: row.state as FileRecord['state'],
    kind: row.kind as FileRecord['kind'],
    name: row.name,
    mime: row.mime,
    size: Number(row.sizeBytes),
    objectKey: row.objectKey,
    uploadId: row.uploadId,
    width: row.width,
    height: row.height,
    durationMs: row.durationMs,
    pages: row.pages,
    preview: row.preview,
    waveform: row.waveform === null ? null : (JSON.parse(row.waveform) as number[]),
    variants: row.variants === '' ? [] : (row.variants.split(',') as FileVariant[]),
    refusal: row.refusalCode === null ? null : { code: row.refusalCode, detail: row.refusalDetail ?? '' },
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
  }
}

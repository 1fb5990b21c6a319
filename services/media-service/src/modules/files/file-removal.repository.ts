import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import { doom, doomFolder } from './doom.ts'
import type { FileUses } from './file-uses.repository.ts'

/** The columns of a file that its removal needs. */
interface RemovableRow {
  readonly id: string
  readonly object_key: string
  readonly upload_id: string | null
}

const SWEEP_BATCH = 50
const EXPIRED = Prisma.sql`expires_at <= UTC_TIMESTAMP(3) AND state <> 'checking'
  AND NOT EXISTS (SELECT 1 FROM file_uses WHERE file_id = files.id)`

/** The removal of files: on request, on expiry, with their owner's account. */
export class FileRemoval {
  readonly #mysql: Mysql
  readonly #uses: FileUses

  constructor(mysql: Mysql, uses: FileUses) {
    this.#mysql = mysql
    this.#uses = uses
  }

  /** Removes an unused file. */
  remove(id: string, ownerId: number): Promise<'removed' | 'in_use' | 'unknown'> {
    return this.#mysql.transaction('removeFile', (tx) => this.removeIn(tx, id, ownerId))
  }

  /** Like `remove`, in the caller's transaction. */
  async removeIn(tx: Tx, id: string, ownerId: number): Promise<'removed' | 'in_use' | 'unknown'> {
    // Raw: Prisma has no FOR UPDATE.
    const [row] = await tx.$queryRaw<RemovableRow[]>`
      SELECT id, object_key, upload_id FROM files WHERE id = ${id} AND owner_id = ${ownerId} FOR UPDATE`
    if (!row) return 'unknown'
    if ((await tx.fileUse.count({ where: { fileId: id } })) > 0) return 'in_use'
    await removeRows(tx, [row])
    return 'removed'
  }

  /** Returns whether `sweepExpired` has work: for an idle worker, without a transaction. */
  hasExpired(): Promise<boolean> {
    return this.#mysql.has(Prisma.sql`SELECT 1 FROM files WHERE ${EXPIRED}`)
  }

  /** Removes expired unused files. Returns their number. */
  sweepExpired(): Promise<number> {
    return this.#mysql.transaction('sweepFiles', async (tx) => {
      // Raw: Prisma has no SKIP LOCKED.
      const rows = await tx.$queryRaw<RemovableRow[]>`
        SELECT id, object_key, upload_id FROM files WHERE ${EXPIRED} ORDER BY expires_at LIMIT ${SWEEP_BATCH} FOR UPDATE SKIP LOCKED`
      await removeRows(tx, rows)
      return rows.length
    })
  }

  /**
   * Removes a deleted account's files. Files in remaining messages and pictures of rooms keep their bytes
   * without an owner.
   */
  async eraseOwner(tx: Tx, ownerId: number, messagePolicy: 'keep' | 'remove'): Promise<void> {
    await this.#uses.removeFromProfile(tx, ownerId)
    const kept = messagePolicy === 'keep' ? {} : { purpose: 'room_picture' }
    await tx.file.updateMany({ where: { ...kept, ownerId, uses: { some: {} } }, data: { ownerId: 0 } })
    const rows = await tx.file.findMany({
      where: { ownerId },
      select: { id: true, objectKey: true, uploadId: true },
    })
    await removeRows(
      tx,
      rows.map(({ id, objectKey, uploadId }) => ({ id, object_key: objectKey, upload_id: uploadId })),
    )
    await tx.storageOwner.deleteMany({ where: { userId: ownerId } })
  }
}

async function removeRows(tx: Tx, rows: readonly RemovableRow[]): Promise<void> {
  if (rows.length === 0) return
  for (const row of rows) {
    if (row.upload_id !== null) await doom(tx, row.object_key, row.upload_id)
    await doomFolder(tx, row.id)
  }
  await tx.file.deleteMany({ where: { id: { in: rows.map(({ id }) => id) } } })
}

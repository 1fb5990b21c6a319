import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Outbox } from '@bigtech/outbox'
import { inBatches } from '@bigtech/stores'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'
import { createLink, useLink } from '../account/account-links.ts'
import { recordActivity } from '../activity/activity-log.ts'
import { eraseExport } from './erase-export.ts'
import {
  archiveSize,
  type DataExport,
  EXPORT_LIFETIME_MS,
  type ExportPart,
  type ExportState,
  retryDelayMs,
} from './export.ts'

export type ExportRepository = ReturnType<typeof createExportRepository>

/** An export being built by this process; expires `leaseMs` after the last extension. */
export interface Lease {
  readonly exportId: string
  readonly leaseId: string
  readonly userId: number
  readonly attempts: number
  readonly requestedAt: Date
}

/** Another process builds the export, or a newer request or a deletion has removed it. */
export class LeaseLost extends Error {}

const compress = promisify<Uint8Array, Buffer>(gzip)
const decompress = promisify<Uint8Array, Buffer>(gunzip)
const PURGE_BATCH = 100

/** Creates the repository of data archives: one row each, their complete parts, and the bytes in chunks. */
export function createExportRepository(mysql: Mysql, outbox: Outbox, leaseMs: number) {
  const leaseEnd = () => new Date(Date.now() + leaseMs)

  return {
    find: (userId: number) =>
      mysql.run('findExport', async (db): Promise<DataExport | null> => {
        const row = await db.dataExport.findUnique({ where: { userId } })
        return row && toExport(row, await db.dataExportPart.findMany({ where: { exportId: row.id } }))
      }),

    /** Replaces a finished export with a new request; false when one is already pending. */
    request: (userId: number): Promise<boolean> =>
      mysql.transaction('requestExport', async (tx) => {
        // Raw: Prisma has no FOR UPDATE. Two requests at the same time wait for each other.
        await tx.$queryRaw`SELECT id FROM users WHERE id = ${userId} FOR UPDATE`
        const before = await tx.dataExport.findUnique({ where: { userId }, select: { state: true } })
        if (before?.state === 'pending') return false
        await eraseExport(tx, userId)
        const now = new Date()
        const id = crypto.randomUUID()
        await tx.dataExport.create({
          data: { id, userId, state: 'pending', requestedAt: now, leasedUntil: now },
        })
        await recordActivity(tx, { userId, type: 'export_requested' })
        return true
      }),

    /** Claims a pending export that no process is building; null when there is none. */
    claim: async (): Promise<Lease | null> => {
      const now = new Date()
      const isDue = Prisma.sql`SELECT 1 FROM data_exports WHERE state = 'pending' AND leased_until <= ${now}`
      if (!(await mysql.has(isDue))) return null
      const due = await mysql.run('dueExport', (db) =>
        db.dataExport.findFirst({
          where: { state: 'pending', leasedUntil: { lte: now } },
          orderBy: { leasedUntil: 'asc' },
        }),
      )
      if (!due) return null
      const leaseId = crypto.randomUUID()
      const { count } = await mysql.run('claimExport', (db) =>
        db.dataExport.updateMany({
          where: { id: due.id, state: 'pending', leasedUntil: { lte: now } },
          data: { leaseId, leasedUntil: leaseEnd() },
        }),
      )
      const { id: exportId, userId, attempts, requestedAt } = due
      return count === 1 ? { exportId, leaseId, userId, attempts, requestedAt } : null
    },

    partsDone: ({ exportId }: Lease) =>
      mysql.run('exportParts', async (db): Promise<string[]> => {
        const rows = await db.dataExportPart.findMany({ where: { exportId }, select: { part: true } })
        return rows.map(({ part }) => part)
      }),

    /** Writes a chunk; the first chunk of a part replaces those of an earlier attempt. @throws LeaseLost */
    addChunk: async (lease: Lease, part: ExportPart, position: number, bytes: Uint8Array): Promise<void> => {
      const { exportId } = lease
      const content = new Uint8Array(await compress(bytes))
      await mysql.transaction('addExportChunk', async (tx) => {
        await holdLease(tx, lease, leaseEnd())
        if (position === 0) await tx.dataExportChunk.deleteMany({ where: { exportId, part } })
        await tx.dataExportChunk.create({
          data: { exportId, part, position, content },
          select: { position: true },
        })
      })
    },

    /** Marks a part as complete. @throws LeaseLost */
    completePart: (lease: Lease, part: ExportPart, size: number): Promise<void> =>
      mysql.transaction('completeExportPart', async (tx) => {
        await holdLease(tx, lease, leaseEnd())
        await tx.dataExportPart.create({ data: { exportId: lease.exportId, part, size } })
      }),

    /** Marks the archive as ready and requests its mail, in one transaction. @throws LeaseLost */
    complete: (lease: Lease, correlationId: string): Promise<void> =>
      mysql.transaction('completeExport', async (tx) => {
        const user = await tx.user.findFirst({ where: { id: lease.userId, status: 'active' } })
        await holdLease(tx, lease, leaseEnd())
        await tx.dataExport.update({
          where: { id: lease.exportId },
          data: { state: 'ready', finishedAt: new Date(), leaseId: null },
        })
        if (user?.email) await createDownloadLink(tx, outbox, user.id, user.email, correlationId)
      }),

    /** Schedules a retry by any process; fails the export after a day. */
    postpone: async (lease: Lease, failed: boolean): Promise<void> => {
      const now = new Date()
      const attempts = lease.attempts + (failed ? 1 : 0)
      const delay = failed ? retryDelayMs(attempts, lease.requestedAt, now) : 0
      await mysql.run('postponeExport', (db) =>
        db.dataExport.updateMany({
          where: { id: lease.exportId, leaseId: lease.leaseId },
          data:
            delay === undefined
              ? { state: 'failed', finishedAt: now, leaseId: null }
              : { leasedUntil: new Date(now.getTime() + delay), attempts, leaseId: null },
        }),
      )
    },

    /** Requests the mail with the link again; false when no archive is ready. */
    sendLink: (userId: number, correlationId: string): Promise<boolean> =>
      mysql.transaction('sendExportLink', async (tx) => {
        const ready = await tx.dataExport.findFirst({ where: { userId, state: 'ready' } })
        const user = ready && (await tx.user.findFirst({ where: { id: userId, status: 'active' } }))
        if (!user?.email) return false
        await createDownloadLink(tx, outbox, userId, user.email, correlationId)
        return true
      }),

    /** Uses up the link and returns its archive; null when the link is invalid or belongs to another user. */
    useLink: (userId: number, linkId: string): Promise<DataExport | null> =>
      mysql.transaction('useExportLink', async (tx) => {
        const row = await tx.dataExport.findFirst({ where: { userId, state: 'ready' } })
        if (!row || !(await useLink(tx, linkId, ['download_export'], userId))) return null
        await recordActivity(tx, { userId, type: 'export_downloaded' })
        return toExport(row, await tx.dataExportPart.findMany({ where: { exportId: row.id } }))
      }),

    /** Yields the bytes of one part, chunk by chunk. */
    async *readPart(exportId: string, part: ExportPart): AsyncGenerator<Uint8Array> {
      for (let position = 0; ; position++) {
        const row = await mysql.run('readExport', (db) =>
          db.dataExportChunk.findUnique({
            where: { exportId_part_position: { exportId, part, position } },
            select: { content: true },
          }),
        )
        if (!row) return
        yield await decompress(row.content)
      }
    },

    /** Deletes expired archives, and chunks of removed exports. */
    purge: (now: Date) =>
      inBatches(PURGE_BATCH, async (limit) => {
        const old = await mysql.run('oldExports', (db) =>
          db.dataExport.findMany({
            where: { finishedAt: { lt: new Date(now.getTime() - EXPORT_LIFETIME_MS) } },
            select: { userId: true },
            take: limit,
          }),
        )
        for (const { userId } of old) {
          await mysql.transaction('purgeExport', (tx) => eraseExport(tx, userId))
        }
        return old.length
      }),
  }
}

/** Extends the lease and locks the export until the transaction ends. */
async function holdLease(tx: Transaction, { exportId, leaseId }: Lease, leasedUntil: Date): Promise<void> {
  const { count } = await tx.dataExport.updateMany({
    where: { id: exportId, leaseId, state: 'pending' },
    data: { leasedUntil },
  })
  if (count === 0) throw new LeaseLost()
}

function createDownloadLink(
  tx: Transaction,
  outbox: Outbox,
  userId: number,
  email: string,
  correlationId: string,
): Promise<void> {
  return createLink(tx, outbox, { userId, purpose: 'download_export', email }, correlationId)
}

function toExport(
  row: { id: string; userId: number; state: string; requestedAt: Date; finishedAt: Date | null },
  parts: readonly { readonly size: bigint }[],
): DataExport {
  const { id, userId, requestedAt, finishedAt } = row
  const bytes = parts.reduce((sum, { size }) => sum + Number(size), 0)
  return {
    ...{ id, userId, requestedAt, finishedAt },
    state: row.state as ExportState,
    partsDone: parts.length,
    size: archiveSize(bytes),
  }
}

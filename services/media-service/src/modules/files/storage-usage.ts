import type { Tx } from '../../infrastructure/mysql.ts'

/** What a user stores. Refused files count nothing; an upload counts from its beginning with what it announced. */
export interface Usage {
  readonly bytes: number
  /** Files and documents. */
  readonly files: number
  readonly recordings: number
}

type Reader = Pick<Tx, 'file' | 'take'>

export async function usageOf(db: Reader, ownerId: number): Promise<Usage> {
  const files = await db.file.aggregate({
    where: { ownerId, state: { not: 'refused' } },
    _sum: { sizeBytes: true },
    _count: true,
  })
  const recordings = await db.take.aggregate({ where: { ownerId }, _sum: { sizeBytes: true }, _count: true })
  return {
    bytes: Number(files._sum.sizeBytes ?? 0) + Number(recordings._sum.sizeBytes ?? 0),
    files: files._count,
    recordings: recordings._count,
  }
}

/** As `usageOf`; until the transaction ends, uploads of the same user wait, so that each counts the one before. */
export async function lockUsage(tx: Tx, ownerId: number): Promise<Usage> {
  // Raw: an insert that locks an existing row.
  await tx.$executeRaw`
    INSERT INTO storage_owners (user_id) VALUES (${ownerId}) ON DUPLICATE KEY UPDATE user_id = user_id`
  return usageOf(tx, ownerId)
}

import { inBatches } from '@bigtech/stores'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import { STREAM_EXPIRY_MS } from './streams.ts'

const PURGE_BATCH = 1_000

/**
 * Users with open streams. Both times only increase, so that events may be duplicated, and those of one user
 * and of one process (different keys and partitions) may arrive in any order. Raw: GREATEST, and comparisons
 * between columns.
 */
export class StreamsRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  async opened(instanceId: string, userIds: readonly number[], at: Date): Promise<void> {
    const rows = [...new Set(userIds)].sort((a, b) => a - b)
    const marks = rows.map(() => "(?, ?, ?, '2000-01-01')").join(', ')
    await this.#mysql.client.$executeRawUnsafe(
      `INSERT INTO open_streams (user_id, instance_id, seen_at, closed_at) VALUES ${marks}
       ON DUPLICATE KEY UPDATE seen_at = GREATEST(seen_at, VALUES(seen_at))`,
      ...rows.flatMap((userId) => [userId, instanceId, at]),
    )
  }

  async closed(instanceId: string, userId: number, at: Date): Promise<void> {
    await this.#mysql.client.$executeRaw`
      INSERT INTO open_streams (user_id, instance_id, seen_at, closed_at)
      VALUES (${userId}, ${instanceId}, '2000-01-01', ${at})
      ON DUPLICATE KEY UPDATE closed_at = GREATEST(closed_at, VALUES(closed_at))`
  }

  /** Returns the users with an open stream. */
  async connected(userIds: readonly number[], now: number): Promise<Set<number>> {
    if (userIds.length === 0) return new Set()
    const rows = await this.#mysql.read<{ user_id: bigint }>(
      'connected',
      Prisma.sql`SELECT DISTINCT user_id FROM open_streams WHERE user_id IN (${Prisma.join(userIds)})
        AND seen_at > closed_at AND seen_at > ${new Date(now - STREAM_EXPIRY_MS)}`,
    )
    return new Set(rows.map((row) => Number(row.user_id)))
  }

  async forgetUser(tx: Tx, userId: number): Promise<void> {
    await tx.openStream.deleteMany({ where: { userId } })
  }

  /** Deletes outdated rows; their topic has a retention of an hour. */
  async purge(now: number): Promise<void> {
    const before = new Date(now - 3_600_000)
    await inBatches(
      PURGE_BATCH,
      (limit) => this.#mysql.client.$executeRaw`
        DELETE FROM open_streams WHERE seen_at < ${before} AND closed_at < ${before} LIMIT ${limit}`,
    )
  }
}

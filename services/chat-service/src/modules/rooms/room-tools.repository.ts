import type { RoomAuditAction } from '@bigtech/contracts'
import { inBatches } from '@bigtech/stores'
import type { Mysql } from '../../infrastructure/mysql.ts'

export interface Ban {
  readonly userId: number
  readonly bannedBy: number
  readonly bannedAt: Date
}

export interface AuditEntry {
  readonly id: number
  readonly action: RoomAuditAction
  readonly actorId: number
  readonly targetId: number | null
  readonly detail: string | null
  readonly createdAt: Date
}

const KEEP_AUDIT_MS = 180 * 86_400_000
const PURGE_BATCH = 1_000

/** Reads bans and the audit log of rooms. RoomTransaction writes them. */
export class RoomToolsRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  /** Returns bans by user id, one more than `limit`. */
  async bans(roomId: number, afterUserId: number, limit: number): Promise<Ban[]> {
    const rows = await this.#mysql.run('room_bans', (db) =>
      db.roomRemoval.findMany({
        where: { roomId, banned: true, userId: { gt: afterUserId } },
        orderBy: { userId: 'asc' },
        take: limit + 1,
      }),
    )
    return rows.map(({ userId, removedBy, removedAt }) => ({
      userId: Number(userId),
      bannedBy: Number(removedBy),
      bannedAt: removedAt,
    }))
  }

  /** Returns audit entries, newest first, one more than `limit`. */
  async audit(roomId: number, before: number | undefined, limit: number): Promise<AuditEntry[]> {
    const rows = await this.#mysql.run('room_audit', (db) =>
      db.roomAudit.findMany({
        where: { roomId, ...(before === undefined ? {} : { id: { lt: before } }) },
        orderBy: { id: 'desc' },
        take: limit + 1,
      }),
    )
    return rows.map(({ id, action, actorId, targetId, detail, createdAt }) => ({
      id: Number(id),
      action: action as RoomAuditAction,
      actorId: Number(actorId),
      targetId: targetId === null ? null : Number(targetId),
      detail,
      createdAt,
    }))
  }

  /** Deletes entries older than 180 days. Raw: Prisma's deleteMany has no LIMIT. */
  purgeAudit(now: Date): Promise<unknown> {
    const before = new Date(now.getTime() - KEEP_AUDIT_MS)
    return inBatches(PURGE_BATCH, (limit) =>
      this.#mysql.run(
        'room_audit_purge',
        (db) => db.$executeRaw`DELETE FROM room_audit WHERE created_at < ${before} LIMIT ${limit}`,
      ),
    )
  }
}

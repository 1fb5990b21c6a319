import type { RoomAuditAction } from '@bigtech/contracts'
import type { HandlerOutcome } from '@bigtech/kafka'
import { once } from '@bigtech/outbox'
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

/** A message that another user than its author deleted for all. */
export interface ForeignDeletion {
  readonly eventId: string
  readonly roomId: number
  readonly messageId: string
  readonly authorId: number
  readonly deletedBy: number
  readonly deletedAt: Date
}

const AUDIT_CONSUMER = 'chat-service.room-audit'

/** Reads bans and the audit log of rooms. Other changes are written in RoomTransaction. */
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

  /**
   * Adds a deletion to the audit log, once per event: messages are in another store, so the entry cannot be written in
   * the transaction of the act.
   */
  noteDeletion(deletion: ForeignDeletion): Promise<HandlerOutcome> {
    const { eventId, roomId, messageId, authorId, deletedBy, deletedAt } = deletion
    return this.#mysql.transaction('room_audit_deletion', async (tx) => {
      if (!(await once(tx, AUDIT_CONSUMER, eventId))) return 'duplicate'
      // Raw: nothing is written for a room that is gone.
      const added = await tx.$executeRaw`
        INSERT INTO room_audit (room_id, actor_id, action, target_id, detail, created_at)
        SELECT id, ${deletedBy}, 'message_deleted', ${authorId}, ${messageId}, ${deletedAt} FROM rooms WHERE id = ${roomId}`
      return added === 1 ? 'applied' : 'ignored'
    })
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

import { inBatches } from '@bigtech/stores'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import { type FriendNote, noNote } from './friend-notes.repository.ts'

/** Up to where a client knows the changes of its list of friends. */
export interface ChangePosition {
  /** The last change of the list itself. */
  readonly version: number
  /** Unix ms: the last change of a friend's profile, and of the friend with which id within that millisecond. */
  readonly profilesMs: number
  readonly profileId: number
}

/** A friend as they are now; null when they are a friend no more. */
export interface FriendState extends FriendNote {
  readonly friendsSince: Date
}

export interface ListChange {
  readonly userId: number
  readonly version: number
  readonly friend: FriendState | null
}

export interface ProfileChange {
  readonly userId: number
  readonly changedMs: number
  readonly friend: FriendState
}

interface FriendRow {
  readonly friend_id: bigint
  readonly friends_since: Date | null
  readonly nickname: string | null
  readonly favourite: number | null
  readonly hidden: number | null
}

/** A client that comes back within 30 days finds every change; a day more for clocks and time zones of batches. */
const KEEP_MS = 31 * 86_400_000
const PURGE_BATCH = 1_000

/** The friendship of the owner with `friend`, and the owner's note. Raw: an unordered pair is looked up by LEAST and GREATEST. */
const friendColumns = Prisma.sql`IF(f.status = 'friends', f.friends_since, NULL) AS friends_since, n.nickname, n.favourite, n.hidden`
const joined = (owner: number, friend: Prisma.Sql) => Prisma.sql`
  LEFT JOIN friendships f ON f.user_low = LEAST(${owner}, ${friend}) AND f.user_high = GREATEST(${owner}, ${friend})
  LEFT JOIN friend_notes n ON n.owner_id = ${owner} AND n.friend_id = ${friend}`

/** Which friends of whom have changed, by a version per owner: one row a friend, so the log is as long as the list. */
export class FriendChangesRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  /** Notes a change of the pair for both lists, in the transaction that makes it. */
  async notePair(tx: Tx, one: number, other: number): Promise<void> {
    // Locks in one order, so that changes of different pairs of the same users cannot deadlock.
    const [low, high] = one < other ? [one, other] : [other, one]
    await this.note(tx, low, high)
    await this.note(tx, high, low)
  }

  /** Notes a change that only the owner's list shows. Raw: LAST_INSERT_ID gives the version that was written. */
  async note(tx: Tx, ownerId: number, friendId: number): Promise<void> {
    await tx.$executeRaw`
      INSERT INTO friend_change_heads (owner_id, version) VALUES (${ownerId}, LAST_INSERT_ID(1))
      ON DUPLICATE KEY UPDATE version = LAST_INSERT_ID(version + 1)`
    await tx.$executeRaw`
      INSERT INTO friend_changes (owner_id, friend_id, version, changed_at)
      VALUES (${ownerId}, ${friendId}, LAST_INSERT_ID(), UTC_TIMESTAMP(3))
      ON DUPLICATE KEY UPDATE version = VALUES(version), changed_at = VALUES(changed_at)`
  }

  /** The owner's last version; 0 when nothing has changed yet. */
  async head(ownerId: number): Promise<number> {
    const row = await this.#mysql.run('friend_change_head', (db) =>
      db.friendChangeHead.findUnique({ where: { ownerId } }),
    )
    return Number(row?.version ?? 0)
  }

  /** Friends that came, went, or whose note changed after the version, in the order of their latest change. */
  async listChanges(ownerId: number, afterVersion: number, limit: number): Promise<ListChange[]> {
    const rows = await this.#mysql.run(
      'friend_changes',
      (db) => db.$queryRaw<(FriendRow & { version: bigint })[]>`
        SELECT c.friend_id, c.version, ${friendColumns} FROM friend_changes c
        ${joined(ownerId, Prisma.sql`c.friend_id`)}
        WHERE c.owner_id = ${ownerId} AND c.version > ${afterVersion} ORDER BY c.version LIMIT ${limit}`,
    )
    return rows.map((row) => ({
      userId: Number(row.friend_id),
      version: Number(row.version),
      friend: stateOf(row),
    }))
  }

  /** Friends whose profile changed after the position, in the order of the changes. */
  async profileChanges(
    ownerId: number,
    { profilesMs, profileId }: ChangePosition,
    limit: number,
  ): Promise<ProfileChange[]> {
    const at = new Date(profilesMs)
    const side = (mine: Prisma.Sql, theirs: Prisma.Sql) => Prisma.sql`
      SELECT p.user_id AS friend_id, p.changed_at FROM friendships s JOIN people p ON p.user_id = s.${theirs}
      WHERE s.${mine} = ${ownerId} AND s.status = 'friends'
        AND p.changed_at >= ${at} AND (p.changed_at > ${at} OR p.user_id > ${profileId})`
    const [low, high] = [Prisma.sql`user_low`, Prisma.sql`user_high`]
    const rows = await this.#mysql.run(
      'friend_profile_changes',
      (db) => db.$queryRaw<(FriendRow & { changed_at: Date })[]>`
        SELECT c.friend_id, c.changed_at, ${friendColumns}
        FROM (${side(low, high)} UNION ALL ${side(high, low)}) AS c
        ${joined(ownerId, Prisma.sql`c.friend_id`)}
        ORDER BY c.changed_at, c.friend_id LIMIT ${limit}`,
    )
    return rows.flatMap((row) => {
      const friend = stateOf(row)
      return friend ? [{ userId: Number(row.friend_id), changedMs: row.changed_at.getTime(), friend }] : []
    })
  }

  /** Removes the log of a deleted account. What others know of the account stays until it is purged: an id. */
  async forget(tx: Tx, userId: number): Promise<void> {
    await tx.friendChange.deleteMany({ where: { ownerId: userId } })
    await tx.friendChangeHead.deleteMany({ where: { ownerId: userId } })
  }

  /** Deletes changes that every client within the time limit has seen. Raw: deleteMany has no LIMIT. */
  purge(now: number): Promise<unknown> {
    const before = new Date(now - KEEP_MS)
    return inBatches(PURGE_BATCH, (limit) =>
      this.#mysql.run(
        'friend_changes_purge',
        (db) => db.$executeRaw`DELETE FROM friend_changes WHERE changed_at < ${before} LIMIT ${limit}`,
      ),
    )
  }
}

function stateOf({ friends_since, nickname, favourite, hidden }: FriendRow): FriendState | null {
  if (friends_since === null) return null
  return {
    ...noNote,
    friendsSince: friends_since,
    nickname,
    favourite: Number(favourite) === 1,
    hidden: Number(hidden) === 1,
  }
}

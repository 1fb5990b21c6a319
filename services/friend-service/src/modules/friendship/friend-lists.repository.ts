import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { KnownPerson } from '../people/people.repository.ts'
import { type PersonColumns, personColumns, toJoinedPerson } from '../people/prisma-person.ts'
import type { FriendNote } from './friend-notes.repository.ts'

/** The position after which a page begins. */
export interface After {
  readonly atMs: number
  readonly userId: number
}

export interface Relation {
  readonly userId: number
  readonly at: Date
}

/** A friend with the user's notes and the local copy of the profile, if there is one. */
export interface ListedFriend extends Relation, FriendNote {
  readonly person: KnownPerson | null
  /** Whether one of the two restricts the other. */
  readonly isRestricted: boolean
}

export interface PendingRequest {
  readonly id: number
  readonly from: number
  readonly to: number
  readonly sentAt: Date
  readonly expiresAt: Date
  readonly message: string | null
}

export interface Suggestion {
  readonly userId: number
  readonly mutualFriends: number
}

interface RelationRow {
  readonly other: bigint
  readonly at: Date
}

interface RequestRow {
  readonly request_id: bigint
  readonly request_from: bigint
  readonly request_to: bigint
  readonly request_sent_at: Date
  readonly request_expires_at: Date
  readonly request_message: string | null
}

interface FriendRow extends RelationRow, PersonColumns {
  readonly restricted: number | bigint
  readonly nickname: string | null
  readonly favourite: number | null
  readonly hidden: number | null
}

const BEFORE_ALL: After = { atMs: Date.parse('9999-01-01'), userId: Number.MAX_SAFE_INTEGER }
/** Columns and joins of a friend `other`, one row of the two sides. */
const isRestricted = Prisma.sql`(restricted_by_low_at IS NOT NULL OR restricted_by_high_at IS NOT NULL) AS restricted`
const friendColumns = Prisma.sql`other, at, restricted, n.nickname, n.favourite, n.hidden, ${personColumns}`
const friendJoins = (userId: number) => Prisma.sql`
  LEFT JOIN friend_notes n ON n.owner_id = ${userId} AND n.friend_id = other
  LEFT JOIN people p ON p.user_id = other`
/** Bounds of suggestions: the newest friends considered, and the friendships examined on either side. */
const SUGGEST_FROM_FRIENDS = 200
const SUGGEST_FROM_FRIENDSHIPS = 10_000
const MOST_FRIENDS_SORTED = 10_000

/**
 * Reads the lists. Raw: unions of both sides of a pair, and named indexes. Each is one statement answered by
 * an index for any table size. Where the order is by request id the index is named, because for its LIMIT
 * the optimizer may otherwise scan all ids.
 */
export class FriendListsRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  /** Returns friends, newest friendship first. A user is the lower id of some pairs and the higher of others. */
  async friends(
    userId: number,
    limit: number,
    after: After = BEFORE_ALL,
    hidden?: boolean,
  ): Promise<ListedFriend[]> {
    const at = new Date(after.atMs)
    // Null: all friends.
    const wanted = hidden ?? null
    const isWanted = (column: Prisma.Sql) => Prisma.sql`(${wanted} IS NULL OR ${wanted} = EXISTS (
      SELECT 1 FROM friend_notes h WHERE h.owner_id = ${userId} AND h.friend_id = ${column} AND h.hidden = 1))`
    const rows = await this.#mysql.read<FriendRow>(
      'friends',
      Prisma.sql`
        SELECT ${friendColumns} FROM (
          (SELECT user_high AS other, friends_since AS at, ${isRestricted} FROM friendships
           WHERE user_low = ${userId} AND status = 'friends'
             AND friends_since <= ${at} AND (friends_since < ${at} OR user_high < ${after.userId})
             AND ${isWanted(Prisma.sql`user_high`)}
           ORDER BY friends_since DESC, user_high DESC LIMIT ${limit})
          UNION ALL
          (SELECT user_low AS other, friends_since AS at, ${isRestricted} FROM friendships
           WHERE user_high = ${userId} AND status = 'friends'
             AND friends_since <= ${at} AND (friends_since < ${at} OR user_low < ${after.userId})
             AND ${isWanted(Prisma.sql`user_low`)}
           ORDER BY friends_since DESC, user_low DESC LIMIT ${limit})
        ) AS both_sides ${friendJoins(userId)}
        ORDER BY at DESC, other DESC LIMIT ${limit}`,
    )
    return rows.map(toFriend)
  }

  /** Returns at most 10,000 friends, unordered: names are collated by language, which no index provides. */
  async friendsUnordered(userId: number, hidden: boolean): Promise<ListedFriend[]> {
    const rows = await this.#mysql.read<FriendRow>(
      'friends_unordered',
      Prisma.sql`
        SELECT ${friendColumns} FROM (
          (SELECT user_high AS other, friends_since AS at, ${isRestricted} FROM friendships
           WHERE user_low = ${userId} AND status = 'friends' LIMIT ${MOST_FRIENDS_SORTED})
          UNION ALL
          (SELECT user_low AS other, friends_since AS at, ${isRestricted} FROM friendships
           WHERE user_high = ${userId} AND status = 'friends' LIMIT ${MOST_FRIENDS_SORTED})
        ) AS both_sides ${friendJoins(userId)}
        WHERE COALESCE(n.hidden, 0) = ${hidden} LIMIT ${MOST_FRIENDS_SORTED}`,
    )
    return rows.map(toFriend)
  }

  /**
   * Returns the users whom the user has blocked or restricted, newest first. Omits users who block this user:
   * they are hidden from the user everywhere, like deleted accounts.
   */
  async flagged(
    flag: 'blocked' | 'restricted',
    userId: number,
    limit: number,
    after: After = BEFORE_ALL,
  ): Promise<Relation[]> {
    const at = new Date(after.atMs)
    const byLow = Prisma.raw(`${flag}_by_low_at`)
    const byHigh = Prisma.raw(`${flag}_by_high_at`)
    const rows = await this.#mysql.run(
      flag,
      (db) => db.$queryRaw<RelationRow[]>`
        SELECT other, at FROM (
          (SELECT user_high AS other, ${byLow} AS at FROM friendships
           WHERE user_low = ${userId} AND blocked_by_high_at IS NULL
             AND ${byLow} <= ${at} AND (${byLow} < ${at} OR user_high < ${after.userId})
           ORDER BY ${byLow} DESC, user_high DESC LIMIT ${limit})
          UNION ALL
          (SELECT user_low AS other, ${byHigh} AS at FROM friendships
           WHERE user_high = ${userId} AND blocked_by_low_at IS NULL
             AND ${byHigh} <= ${at} AND (${byHigh} < ${at} OR user_low < ${after.userId})
           ORDER BY ${byHigh} DESC, user_low DESC LIMIT ${limit})
        ) AS both_sides ORDER BY at DESC, other DESC LIMIT ${limit}`,
    )
    return rows.map(toRelation)
  }

  /** Returns requests visible to their receiver. */
  async incoming(userId: number, now: number, limit: number, beforeId: number): Promise<PendingRequest[]> {
    const rows = await this.#mysql.run(
      'incoming',
      (db) => db.$queryRaw<RequestRow[]>`
        SELECT request_id, request_from, request_to, request_sent_at, request_expires_at, request_message
        FROM friendships FORCE INDEX (friendships_incoming)
        WHERE request_to = ${userId} AND request_state = 'open' AND request_id < ${beforeId}
          AND request_expires_at > ${new Date(now)}
        ORDER BY request_id DESC LIMIT ${limit}`,
    )
    return rows.map(toRequest)
  }

  /** Returns requests visible to their sender, including rejected and withheld ones. */
  async outgoing(userId: number, now: number, limit: number, beforeId: number): Promise<PendingRequest[]> {
    const rows = await this.#mysql.run(
      'outgoing',
      (db) => db.$queryRaw<RequestRow[]>`
        SELECT request_id, request_from, request_to, request_sent_at, request_expires_at, request_message
        FROM friendships FORCE INDEX (friendships_outgoing)
        WHERE request_from = ${userId} AND status = 'pending' AND request_id < ${beforeId}
          AND request_expires_at > ${new Date(now)}
        ORDER BY request_id DESC LIMIT ${limit}`,
    )
    return rows.map(toRequest)
  }

  /**
   * Returns friends of friends, by number of mutual friends. Omits users with a request or a block in either
   * direction, and deleted accounts. The limits are inside the union: outside they would bound the result
   * but not the rows read.
   */
  async suggestions(userId: number, limit: number, after?: Suggestion): Promise<Suggestion[]> {
    const friends = await this.friends(userId, SUGGEST_FROM_FRIENDS)
    if (friends.length === 0) return []
    const ids = friends.map((friend) => friend.userId)
    const marks = ids.map(() => '?').join(', ')
    const mutual = after?.mutualFriends ?? Number.MAX_SAFE_INTEGER
    const rows = await this.#mysql.run('suggestions', (db) =>
      db.$queryRawUnsafe<{ other: bigint; mutual: bigint }[]>(
        `SELECT candidate.other AS other, COUNT(*) AS mutual FROM (
           (SELECT user_high AS other FROM friendships WHERE user_low IN (${marks}) AND status = 'friends'
            LIMIT ${SUGGEST_FROM_FRIENDSHIPS})
           UNION ALL
           (SELECT user_low AS other FROM friendships WHERE user_high IN (${marks}) AND status = 'friends'
            LIMIT ${SUGGEST_FROM_FRIENDSHIPS})
         ) AS candidate
         LEFT JOIN friendships AS own ON own.user_low = LEAST(candidate.other, ?)
           AND own.user_high = GREATEST(candidate.other, ?)
         LEFT JOIN people AS person ON person.user_id = candidate.other
         WHERE candidate.other <> ? AND person.deleted_at IS NULL
           AND (own.user_low IS NULL OR (own.status = 'none'
             AND own.blocked_by_low_at IS NULL AND own.blocked_by_high_at IS NULL))
         GROUP BY candidate.other
         HAVING mutual < ? OR (mutual = ? AND other > ?)
         ORDER BY mutual DESC, other LIMIT ${limit}`,
        ...ids,
        ...ids,
        userId,
        userId,
        userId,
        mutual,
        mutual,
        after?.userId ?? 0,
      ),
    )
    return rows.map((row) => ({ userId: Number(row.other), mutualFriends: Number(row.mutual) }))
  }
}

function toFriend(row: FriendRow): ListedFriend {
  const { nickname, favourite, hidden, restricted } = row
  const relation = toRelation(row)
  return {
    ...relation,
    nickname,
    favourite: Number(favourite) === 1,
    hidden: Number(hidden) === 1,
    person: toJoinedPerson(relation.userId, row),
    isRestricted: Number(restricted) === 1,
  }
}

function toRelation(row: RelationRow): Relation {
  return { userId: Number(row.other), at: row.at }
}

function toRequest(row: RequestRow): PendingRequest {
  return {
    id: Number(row.request_id),
    from: Number(row.request_from),
    to: Number(row.request_to),
    sentAt: row.request_sent_at,
    expiresAt: row.request_expires_at,
    message: row.request_message,
  }
}

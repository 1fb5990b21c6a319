import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import { type Pair, type Request, type RequestState, type Side, statusOf, strangers } from './pair.ts'

/** A stored pair with its two users. */
export interface StoredPair {
  readonly low: number
  readonly high: number
  readonly version: number
  readonly pair: Pair
}

interface Row {
  readonly user_low: bigint
  readonly user_high: bigint
  readonly version: number
  readonly request_id: bigint | null
  readonly request_from: bigint | null
  readonly request_state: RequestState | null
  readonly request_sent_at: Date | null
  readonly request_expires_at: Date | null
  readonly friends_since: Date | null
  readonly blocked_by_low_at: Date | null
  readonly blocked_by_high_at: Date | null
  readonly restricted_by_low_at: Date | null
  readonly restricted_by_high_at: Date | null
  readonly quiet_low_until: Date | null
  readonly quiet_high_until: Date | null
}

const PURGE_BATCH = 1_000

/**
 * The pairs, one row each. Methods that take a transaction lock the returned rows, so that two actions on a
 * pair never see the same version. Lock order: sender, people, pair. The locks are raw: Prisma has neither
 * FOR UPDATE nor an insert that locks an existing row.
 */
export class FriendshipRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  transaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> {
    return this.#mysql.transaction('transaction', work)
  }

  /** Serializes the requests of a sender, so that the limit is exact. */
  async lockSender(tx: Tx, userId: number): Promise<void> {
    await tx.$executeRaw`
      INSERT INTO request_senders (user_id) VALUES (${userId}) ON DUPLICATE KEY UPDATE user_id = user_id`
  }

  /** Returns the number of a user's pending requests and the earliest expiry (`now` without any). */
  async pendingOut(tx: Tx, userId: number, now: number): Promise<{ count: number; firstExpiresAt: number }> {
    const { _count, _min } = await tx.friendship.aggregate({
      where: { requestFrom: userId, status: 'pending', requestExpiresAt: { gt: new Date(now) } },
      _count: true,
      _min: { requestExpiresAt: true },
    })
    return { count: _count, firstExpiresAt: _min.requestExpiresAt?.getTime() ?? now }
  }

  async newRequestId(tx: Tx): Promise<number> {
    return Number((await tx.requestId.create({ data: {} })).id)
  }

  /** Locks a pair and returns it, as strangers without a row. Concurrent first actions of a pair do not deadlock. */
  async lockPair(tx: Tx, userA: number, userB: number): Promise<StoredPair> {
    const [low, high] = userA < userB ? [userA, userB] : [userB, userA]
    await tx.$executeRaw`
      INSERT INTO friendships (user_low, user_high) VALUES (${low}, ${high})
      ON DUPLICATE KEY UPDATE user_low = user_low`
    const found = await this.lockExistingPair(tx, low, high)
    return found ?? { low, high, version: 0, pair: strangers }
  }

  async lockExistingPair(tx: Tx, userA: number, userB: number): Promise<StoredPair | undefined> {
    const [low, high] = userA < userB ? [userA, userB] : [userB, userA]
    const rows = await tx.$queryRaw<Row[]>`
      SELECT * FROM friendships WHERE user_low = ${low} AND user_high = ${high} FOR UPDATE`
    return rows[0] && toStoredPair(rows[0])
  }

  /** Locks the pair whose latest request has this id. */
  async lockPairOfRequest(tx: Tx, requestId: number): Promise<StoredPair | undefined> {
    // Always lock by primary key: locking through another index first would deadlock with other transactions.
    const found = await tx.friendship.findUnique({
      where: { requestId },
      select: { userLow: true, userHigh: true },
    })
    if (!found) return undefined
    return this.lockExistingPair(tx, Number(found.userLow), Number(found.userHigh))
  }

  /** Stores the new state of a locked pair. Returns its new version. */
  async save(tx: Tx, stored: StoredPair, pair: Pair): Promise<number> {
    const { low, high, version } = stored
    const { request, friendsSince, blockedAt, restrictedAt, quietUntil } = pair
    const from = request && (request.from === 'low' ? low : high)
    const to = request && (request.from === 'low' ? high : low)
    const { count } = await tx.friendship.updateMany({
      where: { userLow: low, userHigh: high, version },
      data: {
        version: { increment: 1 },
        status: statusOf(pair),
        requestId: request?.id ?? null,
        requestFrom: from,
        requestTo: to,
        requestState: request?.state ?? null,
        requestSentAt: dateOf(request?.sentAt),
        requestExpiresAt: dateOf(request?.expiresAt),
        friendsSince: dateOf(friendsSince),
        blockedByLowAt: dateOf(blockedAt.low),
        blockedByHighAt: dateOf(blockedAt.high),
        restrictedByLowAt: dateOf(restrictedAt.low),
        restrictedByHighAt: dateOf(restrictedAt.high),
        quietLowUntil: dateOf(quietUntil.low),
        quietHighUntil: dateOf(quietUntil.high),
      },
    })
    if (count !== 1) throw new Error(`pair ${low}:${high} is not at version ${version} any more`)
    return version + 1
  }

  /** Stores the text of the pair's latest request. */
  async setRequestMessage(tx: Tx, { low, high }: StoredPair, message: string | null): Promise<void> {
    await tx.friendship.updateMany({
      where: { userLow: low, userHigh: high },
      data: { requestMessage: message },
    })
  }

  /** Returns pairs whose request has expired. */
  async findExpired(now: number, limit: number): Promise<{ low: number; high: number }[]> {
    const rows = await this.#mysql.client.friendship.findMany({
      where: { status: 'pending', requestExpiresAt: { lte: new Date(now) } },
      orderBy: { requestExpiresAt: 'asc' },
      take: limit,
      select: { userLow: true, userHigh: true },
    })
    return rows.map(({ userLow, userHigh }) => ({ low: Number(userLow), high: Number(userHigh) }))
  }

  /** Deletes old request ids, because only the counter is needed. Raw: deleteMany has no LIMIT. */
  async purgeRequestIds(): Promise<void> {
    for (let deleted = PURGE_BATCH; deleted === PURGE_BATCH; ) {
      deleted = await this.#mysql.client.$executeRaw`
        DELETE FROM request_ids WHERE id < (SELECT newest FROM (SELECT MAX(id) AS newest FROM request_ids) AS ids)
        ORDER BY id LIMIT ${PURGE_BATCH}`
    }
  }

  /** Deletes a bounded number of a user's pairs; returns their last state. */
  async takePairsOf(tx: Tx, userId: number, limit: number): Promise<StoredPair[]> {
    const rows = await tx.$queryRaw<Row[]>`
      (SELECT * FROM friendships WHERE user_low = ${userId} LIMIT ${limit} FOR UPDATE)
      UNION ALL
      (SELECT * FROM friendships WHERE user_high = ${userId} LIMIT ${limit} FOR UPDATE)`
    for (const { user_low, user_high } of rows) {
      await tx.friendship.delete({
        where: { userLow_userHigh: { userLow: user_low, userHigh: user_high } },
        select: { version: true },
      })
    }
    return rows.map(toStoredPair)
  }

  async forgetSender(tx: Tx, userId: number): Promise<void> {
    await tx.requestSender.deleteMany({ where: { userId } })
  }
}

function toStoredPair(row: Row): StoredPair {
  const low = Number(row.user_low)
  return {
    low,
    high: Number(row.user_high),
    version: row.version,
    pair: {
      request: requestOf(row, low),
      friendsSince: row.friends_since?.getTime() ?? null,
      blockedAt: {
        low: row.blocked_by_low_at?.getTime() ?? null,
        high: row.blocked_by_high_at?.getTime() ?? null,
      },
      restrictedAt: {
        low: row.restricted_by_low_at?.getTime() ?? null,
        high: row.restricted_by_high_at?.getTime() ?? null,
      },
      quietUntil: {
        low: row.quiet_low_until?.getTime() ?? null,
        high: row.quiet_high_until?.getTime() ?? null,
      },
    },
  }
}

function requestOf(row: Row, low: number): Request | null {
  if (row.request_id === null || row.request_state === null) return null
  const from: Side = Number(row.request_from) === low ? 'low' : 'high'
  return {
    id: Number(row.request_id),
    from,
    state: row.request_state,
    sentAt: row.request_sent_at?.getTime() ?? 0,
    expiresAt: row.request_expires_at?.getTime() ?? 0,
  }
}

function dateOf(ms: number | null | undefined): Date | null {
  return ms === null || ms === undefined ? null : new Date(ms)
}

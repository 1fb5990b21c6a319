import { randomInt } from 'node:crypto'
import { once } from '@bigtech/outbox'
import { inBatches } from '@bigtech/stores'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import { addDays, dayOf, type Effect, hourOf, type TotalName } from './stats.ts'

const CONSUMER = 'stats'
const PURGE_BATCH = 1_000
/** Longer than the 30 days in which a request can be accepted. */
export const REQUESTS_KEPT_DAYS = 45
const REBUILD_TIMEOUT_MS = 10 * 60 * 1_000

export interface DayTotal {
  readonly day: Date
  readonly metric: string
  readonly total: number
}

/** The figures. All counting goes through `apply`. */
export class StatsRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  /** Applies the effect of an event once. */
  apply(eventId: string, at: Date, effect: Effect): Promise<'applied' | 'duplicate'> {
    return this.#mysql.$transaction(async (tx) => {
      // A shared lock, compatible with everything but a rebuild, which must not empty the tables between
      // inbox and effect.
      await tx.$queryRaw`SELECT generation FROM rebuilds WHERE id = 1 LOCK IN SHARE MODE`
      if (!(await once(tx, CONSUMER, eventId))) return 'duplicate'
      await addEffect(tx, at, effect)
      return 'applied'
    })
  }

  /** Deletes all figures from a day on, so that their events can be recounted. Null: all days. */
  async clear(from: Date | null): Promise<void> {
    const day = from ?? new Date('2000-01-01')
    await this.#mysql.client.$transaction(
      async (tx) => {
        await tx.rebuild.update({ where: { id: 1 }, data: { generation: { increment: 1 } } })
        await tx.dailyTotal.deleteMany({ where: { day: { gte: day } } })
        // Keeps figures from presence, whose events are gone from Kafka, and anonymised users, whose events
        // are not recounted.
        await tx.dailyActive.deleteMany({ where: { day: { gte: day }, userId: { gt: 0 }, online: false } })
        await tx.friendRequest.deleteMany({ where: { sentOn: { gte: day } } })
        await tx.roomHour.deleteMany({ where: { hour: { gte: day } } })
        // Raw: the inbox is no model of this service. An event is applied after it happened, so earlier
        // applied events are not recounted.
        await tx.$executeRaw`DELETE FROM inbox WHERE consumer = ${CONSUMER} AND processed_at >= ${day}`
      },
      { maxWait: 5_000, timeout: REBUILD_TIMEOUT_MS },
    )
  }

  /** Deletes requests older than their expiry of 30 days, which can no longer be accepted. */
  purgeRequests(now: number): Promise<void> {
    const before = addDays(new Date(now), -REQUESTS_KEPT_DAYS)
    return inBatches(PURGE_BATCH, (limit) =>
      this.#mysql.run(
        'purgeRequests',
        (db) => db.$executeRaw`DELETE FROM friend_requests WHERE sent_on < ${before} LIMIT ${limit}`,
      ),
    )
  }

  /** Returns the first day on or after `from` with one of the figures; null when there is none. */
  async firstDayOf(metrics: readonly TotalName[], from: Date | null): Promise<Date | null> {
    const where = { metric: { in: [...metrics] }, ...(from ? { day: { gte: from } } : {}) }
    const row = await this.#mysql.run('firstDayOf', (db) =>
      db.dailyTotal.findFirst({ where, orderBy: { day: 'asc' }, select: { day: true } }),
    )
    return row?.day ?? null
  }

  async dailyTotals(from: Date, to: Date): Promise<DayTotal[]> {
    const rows = await this.#mysql.run('dailyTotals', (db) =>
      db.dailyTotal.findMany({ where: { day: { gte: from, lte: to } }, orderBy: { day: 'asc' } }),
    )
    return rows.map(({ day, metric, total }) => ({ day, metric, total: Number(total) }))
  }

  /** Returns the active users of each day. */
  async dailyActive(from: Date, to: Date): Promise<{ day: Date; users: number }[]> {
    const rows = await this.#mysql.run('dailyActive', (db) =>
      db.dailyActive.groupBy({ by: ['day'], where: { day: { gte: from, lte: to } }, _count: true }),
    )
    return rows.map(({ day, _count }) => ({ day, users: _count }))
  }

  /** Returns the number of distinct users active on any of the days. Raw: Prisma has no COUNT DISTINCT. */
  async activeUsers(from: Date, to: Date): Promise<number> {
    const rows = await this.#mysql.run(
      'activeUsers',
      (db) => db.$queryRaw<{ users: bigint }[]>`
        SELECT COUNT(DISTINCT user_id) AS users FROM daily_active WHERE day BETWEEN ${from} AND ${to}`,
    )
    return Number(rows[0]?.users ?? 0)
  }

  /** Returns the hours of a room with messages. */
  async roomHours(roomId: number, from: Date, to: Date): Promise<{ hour: Date; messages: number }[]> {
    const rows = await this.#mysql.run('roomHours', (db) =>
      db.roomHour.findMany({ where: { roomId, hour: { gte: from, lt: to } }, orderBy: { hour: 'asc' } }),
    )
    return rows.map(({ hour, messages }) => ({ hour, messages: Number(messages) }))
  }
}

/**
 * Writes the figures in a fixed order: totals, active users, rooms. Raw: runs for every message and adds in
 * the statement.
 */
async function addEffect(tx: Tx, at: Date, effect: Effect): Promise<void> {
  const { total, activeUserId, onlineUserId, roomId, eraseUserId } = effect
  if (total) {
    await tx.$executeRaw`
      INSERT INTO daily_totals (day, metric, total) VALUES (${dayOf(at)}, ${total}, 1)
      ON DUPLICATE KEY UPDATE total = total + 1`
  }
  await addRequest(tx, at, effect)
  const userId = activeUserId ?? onlineUserId
  if (userId !== undefined) {
    const online = onlineUserId === undefined ? 0 : 1
    await tx.$executeRaw`
      INSERT INTO daily_active (day, user_id, online)
      SELECT ${dayOf(at)}, ${userId}, ${online} FROM rebuilds
      WHERE id = 1 AND NOT EXISTS (SELECT 1 FROM erased_users WHERE user_id = ${userId})
      ON DUPLICATE KEY UPDATE online = GREATEST(daily_active.online, VALUES(online))`
  }
  if (roomId !== undefined) {
    await tx.$executeRaw`
      INSERT INTO room_hours (room_id, hour, messages) VALUES (${roomId}, ${hourOf(at)}, 1)
      ON DUPLICATE KEY UPDATE messages = messages + 1`
  }
  if (eraseUserId !== undefined) await anonymise(tx, eraseUserId)
}

/** Attributes an acceptance to the day of its request, so that a day's rate never exceeds 1. */
async function addRequest(tx: Tx, at: Date, { requestSent, requestAccepted }: Effect): Promise<void> {
  if (requestSent !== undefined) {
    await tx.friendRequest.createMany({
      data: { requestId: requestSent, sentOn: dayOf(at) },
      skipDuplicates: true,
    })
  }
  if (requestAccepted === undefined) return
  const { count } = await tx.friendRequest.updateMany({
    where: { requestId: requestAccepted, accepted: false },
    data: { accepted: true },
  })
  if (count === 0) return
  await tx.$executeRaw`
    INSERT INTO daily_totals (day, metric, total)
    SELECT sent_on, 'friend_requests_converted', 1 FROM friend_requests WHERE request_id = ${requestAccepted}
    ON DUPLICATE KEY UPDATE total = daily_totals.total + 1`
}

/** Keeps daily active counts but erases the user ids behind them. Raw where IGNORE skips existing rows. */
export async function anonymise(tx: Tx, userId: number): Promise<void> {
  await tx.erasedUser.createMany({ data: { userId }, skipDuplicates: true })
  const stranger = -randomInt(1, 2 ** 47)
  await tx.$executeRaw`UPDATE IGNORE daily_active SET user_id = ${stranger} WHERE user_id = ${userId}`
  await tx.dailyActive.deleteMany({ where: { userId } })
}

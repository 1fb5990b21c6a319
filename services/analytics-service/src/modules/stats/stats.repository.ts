import { onceForAll } from '@bigtech/outbox'
import { inBatches } from '@bigtech/stores'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'
import { addEffects } from './effects.repository.ts'
import { addDays, type CountedEvent, type TotalName } from './stats.ts'

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

  /**
   * Applies the effects of events once, all in one transaction.
   *
   * @throws PartlyApplied when some of several events were applied before: apply each alone
   */
  apply(events: readonly CountedEvent[]): Promise<'applied' | 'duplicate'> {
    return this.#mysql.hotTransaction('applyEvents', async (tx) => {
      // A shared lock, compatible with everything but a rebuild, which must not empty the tables between
      // inbox and effect.
      await tx.read(Prisma.sql`SELECT generation FROM rebuilds WHERE id = 1 LOCK IN SHARE MODE`)
      const eventIds = events.map(({ eventId }) => eventId)
      if (!(await onceForAll(tx, CONSUMER, eventIds))) return 'duplicate'
      await addEffects(tx, events)
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

import type { Fact, Finding } from '@bigtech/service-kit'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'
import { anonymise } from './effects.repository.ts'
import { REQUESTS_KEPT_DAYS } from './stats.repository.ts'
import { addDays, dayOf, isoDay, type TotalName } from './stats.ts'

const BATCH = 1_000

interface CheckOptions {
  readonly fix: boolean
  readonly now: () => number
}

interface CountedDay {
  readonly day: string
  readonly stored: number
  readonly counted: number
}

/** Compares the totals of a day with the rows behind them, and looks for erased users in the figures. */
export async function checkFigures(mysql: Mysql, { fix, now }: CheckOptions): Promise<Finding[]> {
  // The purge may have removed some requests of the oldest day.
  const firstDay = addDays(dayOf(new Date(now())), 1 - REQUESTS_KEPT_DAYS)
  return [
    ...(await checkTotal(
      mysql,
      { metric: 'messages', since: new Date(0), fix },
      Prisma.sql`SELECT DATE(hour) AS day, messages AS counted FROM room_hours`,
    )),
    ...(await checkTotal(
      mysql,
      { metric: 'friend_requests_converted', since: firstDay, fix },
      Prisma.sql`SELECT sent_on AS day, accepted AS counted FROM friend_requests`,
    )),
    ...(await checkErased(mysql, fix)),
  ]
}

/**
 * Compares the figures with the accounts of user-service: the sign-ups of each day since the first figure,
 * and the erasure of deleted accounts.
 */
export async function checkAccounts(
  mysql: Mysql,
  facts: AsyncIterable<Fact>,
  { fix }: Pick<CheckOptions, 'fix'>,
): Promise<Finding[]> {
  const findings: Finding[] = []
  const signUps = new Map<string, number>()
  let deleted: number[] = []
  const checkDeleted = async () => {
    findings.push(...(await checkErasure(mysql, deleted, fix)))
    deleted = []
  }
  for await (const { kind, ids, fields } of facts) {
    if (kind !== 'user') continue
    const day = String(fields.registered_on)
    signUps.set(day, (signUps.get(day) ?? 0) + 1)
    if (fields.deleted === true) deleted.push(ids[0] as number)
    if (deleted.length === BATCH) await checkDeleted()
  }
  await checkDeleted()
  return [...findings, ...(await checkSignUps(mysql, signUps, fix))]
}

/** Compares the totals of a figure with a query that returns `day` and `counted`. */
async function checkTotal(
  mysql: Mysql,
  { metric, since, fix }: { metric: TotalName; since: Date; fix: boolean },
  counts: Prisma.Sql,
): Promise<Finding[]> {
  // Raw: a comparison with a sum over a union.
  const rows = await mysql.run(
    'checkTotals',
    (db) => db.$queryRaw<{ day: string; stored: unknown; counted: unknown }[]>`
      SELECT DATE_FORMAT(both_sides.day, '%Y-%m-%d') AS day, SUM(stored) AS stored, SUM(counted) AS counted FROM (
        SELECT day, total AS stored, 0 AS counted FROM daily_totals WHERE metric = ${metric}
        UNION ALL SELECT day, 0, counted FROM (${counts}) AS figures
      ) AS both_sides WHERE both_sides.day >= ${since}
      GROUP BY both_sides.day HAVING SUM(stored) <> SUM(counted) ORDER BY both_sides.day`,
  )
  const days = rows.map(({ day, stored, counted }) => ({
    day,
    stored: Number(stored),
    counted: Number(counted),
  }))
  return report(mysql, metric, days, fix)
}

async function checkSignUps(
  mysql: Mysql,
  owned: ReadonlyMap<string, number>,
  fix: boolean,
): Promise<Finding[]> {
  const [first, totals] = await mysql.run('checkSignUps', (db) =>
    Promise.all([
      db.dailyTotal.findFirst({ orderBy: { day: 'asc' }, select: { day: true } }),
      db.dailyTotal.findMany({ where: { metric: 'sign_ups' satisfies TotalName } }),
    ]),
  )
  // Earlier sign-ups were never counted here.
  if (!first) return []
  const firstDay = isoDay(first.day)
  const stored = new Map(totals.map(({ day, total }) => [isoDay(day), Number(total)]))
  const days = [...new Set([...stored.keys(), ...owned.keys()])]
    .filter((day) => day >= firstDay)
    .sort()
    .map((day) => ({ day, stored: stored.get(day) ?? 0, counted: owned.get(day) ?? 0 }))
    .filter((day) => day.stored !== day.counted)
  return report(mysql, 'sign_ups', days, fix)
}

async function report(
  mysql: Mysql,
  metric: TotalName,
  days: readonly CountedDay[],
  fix: boolean,
): Promise<Finding[]> {
  // Raw: an event that is counted meanwhile stays counted.
  for (const { day, stored, counted } of fix ? days : [])
    await mysql.run(
      'fixTotal',
      (db) => db.$executeRaw`
        INSERT INTO daily_totals (day, metric, total) VALUES (${day}, ${metric}, ${counted - stored})
        ON DUPLICATE KEY UPDATE total = daily_totals.total + VALUES(total)`,
    )
  return days.map(({ day, stored, counted }) => ({
    subject: `${metric} of ${day}`,
    detail: `are ${counted}, but the stored total is ${stored}`,
    isFixed: fix,
  }))
}

/** Finds erased users whose activity is still stored under their id. */
async function checkErased(mysql: Mysql, fix: boolean): Promise<Finding[]> {
  // Raw: a join of tables without a relation.
  const rows = await mysql.run(
    'checkErased',
    (db) => db.$queryRaw<{ user_id: bigint | number }[]>`
      SELECT DISTINCT daily_active.user_id FROM erased_users
      JOIN daily_active ON daily_active.user_id = erased_users.user_id`,
  )
  return erase(
    mysql,
    rows.map(({ user_id }) => Number(user_id)),
    'is erased, but daily_active contains the id',
    fix,
  )
}

async function checkErasure(mysql: Mysql, deleted: readonly number[], fix: boolean): Promise<Finding[]> {
  if (deleted.length === 0) return []
  const rows = await mysql.run('checkErasure', (db) =>
    db.erasedUser.findMany({ where: { userId: { in: [...deleted] } } }),
  )
  const erased = new Set(rows.map(({ userId }) => Number(userId)))
  const missing = deleted.filter((userId) => !erased.has(userId))
  return erase(mysql, missing, 'is deleted, but not erased from the figures', fix)
}

async function erase(
  mysql: Mysql,
  userIds: readonly number[],
  detail: string,
  fix: boolean,
): Promise<Finding[]> {
  for (const userId of fix ? userIds : []) await mysql.transaction('eraseUser', (tx) => anonymise(tx, userId))
  return userIds.map((userId) => ({ subject: `user ${userId}`, detail, isFixed: fix }))
}

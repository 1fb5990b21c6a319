import { randomInt } from 'node:crypto'
import { execute, type HotTransaction, type SqlExecutor } from '@bigtech/stores'
import { Prisma } from '../../generated/prisma/client.ts'
import { type CountedEvent, dayOf, hourOf, isoDay } from './stats.ts'

/**
 * Adds the effects of events to the figures: one statement per table. Tables and their rows are written in a fixed order, so that concurrent
 * transactions wait for each other instead of deadlocking.
 */
export async function addEffects(tx: HotTransaction, events: readonly CountedEvent[]): Promise<void> {
  await addTotals(tx, events)
  for (const event of events) await addRequest(tx, event)
  await addActive(tx, events)
  await addRoomHours(tx, events)
  for (const { effect } of events) {
    if (effect.eraseUserId !== undefined) await anonymise(tx, effect.eraseUserId)
  }
}

async function addTotals(tx: HotTransaction, events: readonly CountedEvent[]): Promise<void> {
  const counts = countBy(events, ({ at, effect }) => effect.total && `${isoDay(at)} ${effect.total}`)
  if (counts.length === 0) return
  const rows = counts.map(([key, total]) => {
    const [day, metric] = key.split(' ')
    return Prisma.sql`(${day}, ${metric}, ${total})`
  })
  await tx.write(Prisma.sql`
    INSERT INTO daily_totals (day, metric, total) VALUES ${Prisma.join(rows)}
    ON DUPLICATE KEY UPDATE total = total + VALUES(total)`)
}

/** Attributes an acceptance to the day of its request, so that a day's rate never exceeds 1. */
async function addRequest(tx: HotTransaction, { at, effect }: CountedEvent): Promise<void> {
  const { requestSent, requestAccepted } = effect
  if (requestSent !== undefined)
    await tx.write(
      Prisma.sql`INSERT IGNORE INTO friend_requests (request_id, sent_on) VALUES (${requestSent}, ${dayOf(at)})`,
    )
  if (requestAccepted === undefined) return
  const accepted = await tx.write(Prisma.sql`
    UPDATE friend_requests SET accepted = 1 WHERE request_id = ${requestAccepted} AND accepted = 0`)
  if (accepted === 0) return
  await tx.write(Prisma.sql`
    INSERT INTO daily_totals (day, metric, total)
    SELECT sent_on, 'friend_requests_converted', 1 FROM friend_requests WHERE request_id = ${requestAccepted}
    ON DUPLICATE KEY UPDATE total = daily_totals.total + 1`)
}

async function addActive(tx: HotTransaction, events: readonly CountedEvent[]): Promise<void> {
  /** By day and user: whether the user was online. */
  const active = new Map<string, number>()
  for (const { at, effect } of events) {
    const userId = effect.activeUserId ?? effect.onlineUserId
    if (userId === undefined) continue
    const key = `${isoDay(at)} ${userId}`
    active.set(key, Math.max(active.get(key) ?? 0, effect.onlineUserId === undefined ? 0 : 1))
  }
  if (active.size === 0) return
  const rows = [...active].sort(byKey).map(([key, online]) => {
    const [day, userId] = key.split(' ')
    return Prisma.sql`SELECT ${day} AS day, ${Number(userId)} AS user_id, ${online} AS online`
  })
  await tx.write(Prisma.sql`
    INSERT INTO daily_active (day, user_id, online)
    SELECT day, user_id, online FROM (${Prisma.join(rows, ' UNION ALL ')}) AS active
    WHERE NOT EXISTS (SELECT 1 FROM erased_users WHERE erased_users.user_id = active.user_id)
    ON DUPLICATE KEY UPDATE online = GREATEST(daily_active.online, VALUES(online))`)
}

async function addRoomHours(tx: HotTransaction, events: readonly CountedEvent[]): Promise<void> {
  const counts = countBy(
    events,
    ({ at, effect }) => effect.roomId !== undefined && `${effect.roomId} ${hourOf(at).toISOString()}`,
  )
  if (counts.length === 0) return
  const rows = counts.map(([key, messages]) => {
    const [roomId, hour] = key.split(' ')
    return Prisma.sql`(${Number(roomId)}, ${new Date(hour!)}, ${messages})`
  })
  await tx.write(Prisma.sql`
    INSERT INTO room_hours (room_id, hour, messages) VALUES ${Prisma.join(rows)}
    ON DUPLICATE KEY UPDATE messages = messages + VALUES(messages)`)
}

/** Keeps daily active counts but erases the user ids behind them. IGNORE skips existing rows. */
export async function anonymise(tx: SqlExecutor, userId: number): Promise<void> {
  await execute(tx, 'INSERT IGNORE INTO erased_users (user_id) VALUES (?)', [userId])
  const stranger = -randomInt(1, 2 ** 47)
  await execute(tx, 'UPDATE IGNORE daily_active SET user_id = ? WHERE user_id = ?', [stranger, userId])
  await execute(tx, 'DELETE FROM daily_active WHERE user_id = ?', [userId])
}

/** Returns the number of events by key, sorted by key. Events without a key do not count. */
function countBy(
  events: readonly CountedEvent[],
  keyOf: (event: CountedEvent) => string | false | undefined,
): [string, number][] {
  const counts = new Map<string, number>()
  for (const event of events) {
    const key = keyOf(event)
    if (key) counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts].sort(byKey)
}

function byKey([a]: readonly [string, number], [b]: readonly [string, number]): number {
  return a < b ? -1 : Number(a > b)
}

import { fileURLToPath } from 'node:url'
import { uuidv7 } from '@bigtech/contracts'
import { createTestMysql, type TestMysql } from '@bigtech/testkit'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createMysql, type Mysql } from '../../infrastructure/mysql.ts'
import { StatsRepository } from './stats.repository.ts'
import { StatsService } from './stats.service.ts'
import { addDays, type Effect } from './stats.ts'

const now = new Date('2026-03-10T12:00:00.000Z')
const day = new Date('2026-03-10')

let db: TestMysql
let mysql: Mysql
let repository: StatsRepository

beforeAll(async () => {
  db = await createTestMysql({
    migrationsDir: fileURLToPath(new URL('../../../migrations', import.meta.url)),
  })
  mysql = createMysql(db.url, new Registry())
  repository = new StatsRepository(mysql)
})
afterAll(async () => {
  await mysql?.close()
  await db?.drop()
})

const apply = (effect: Effect, at = now) => repository.apply([{ eventId: uuidv7(), at, effect }])

it('a request that is accepted again counts as converted once', async () => {
  await apply({ requestSent: 5 })
  await apply({ requestAccepted: 5 })
  await apply({ requestAccepted: 5 })
  const totals = await repository.dailyTotals(day, day)
  expect(totals.find(({ metric }) => metric === 'friend_requests_converted')?.total).toBe(1)
})

it('a user who was online stays marked as online after sending, because a rebuild cannot recount it', async () => {
  await apply({ onlineUserId: 9 })
  await apply({ activeUserId: 9 })
  expect(await db.query('SELECT online FROM daily_active WHERE user_id = 9')).toMatchObject([{ online: 1 }])
})

it('events that are applied together change the figures as if each were applied alone', async () => {
  const effects: Effect[] = [
    { total: 'messages', activeUserId: 901, roomId: 91 },
    { total: 'messages', activeUserId: 902, roomId: 91 },
    { total: 'messages', activeUserId: 901, roomId: 92 },
    { total: 'messages', activeUserId: 903, roomId: 91 },
    { onlineUserId: 902 },
  ]
  const [together, alone] = ['2026-04-01T10:30:00.000Z', '2026-04-02T10:30:00.000Z'].map((at) => new Date(at))
  const nextHour = (at: Date) => new Date(at.getTime() + 3_600_000)
  await apply({ eraseUserId: 903 })
  const events = (at: Date) =>
    [...effects.map((effect) => ({ at, effect })), { at: nextHour(at), effect: effects[0]! }].map((each) => ({
      eventId: uuidv7(),
      ...each,
    }))
  const all = events(together!)
  expect(await repository.apply(all)).toBe('applied')
  expect(await repository.apply(all)).toBe('duplicate')
  for (const event of events(alone!)) await repository.apply([event])
  const figures = async (at: Date) => [
    await db.query("SELECT total FROM daily_totals WHERE day = DATE(?) AND metric = 'messages'", [at]),
    await db.query('SELECT user_id, online FROM daily_active WHERE day = DATE(?) ORDER BY user_id', [at]),
    await db.query(
      'SELECT room_id, HOUR(hour) AS hour, messages FROM room_hours WHERE DATE(hour) = DATE(?) ORDER BY room_id, hour',
      [at],
    ),
  ]
  expect(await figures(together!)).toEqual([
    [{ total: 5 }],
    [
      { user_id: 901, online: 0 },
      { user_id: 902, online: 1 },
    ],
    [
      { room_id: 91, hour: 10, messages: 3 },
      { room_id: 91, hour: 11, messages: 1 },
      { room_id: 92, hour: 10, messages: 1 },
    ],
  ])
  expect(await figures(alone!)).toEqual(await figures(together!))
})

it('events of which some were applied before are rejected together and counted once each alone', async () => {
  const events = [1, 2].map(() => ({ eventId: uuidv7(), at: now, effect: { roomId: 93 } }))
  await repository.apply(events.slice(0, 1))
  await expect(repository.apply(events)).rejects.toThrow('1 of 2 events are new')
  const outcomes = []
  for (const event of events) outcomes.push(await repository.apply([event]))
  expect(outcomes).toEqual(['duplicate', 'applied'])
  expect(await db.query('SELECT messages FROM room_hours WHERE room_id = 93')).toEqual([{ messages: 2 }])
})

it('a rebuild from a day on does not recount an event applied before that day', async () => {
  const eventId = uuidv7()
  expect(await repository.apply([{ eventId, at: now, effect: { roomId: 56 } }])).toBe('applied')
  await repository.clear(new Date('2099-01-01'))
  expect(await repository.apply([{ eventId, at: now, effect: { roomId: 56 } }])).toBe('duplicate')
})

it('the purge removes only requests that can no longer be accepted', async () => {
  await apply({ requestSent: 71 }, addDays(now, -60))
  await apply({ requestSent: 72 }, addDays(now, -29))
  await repository.purgeRequests(now.getTime())
  expect(await db.query('SELECT request_id FROM friend_requests WHERE request_id > 70')).toMatchObject([
    { request_id: 72 },
  ])
})

it('the summary covers today, the last 7 and the last 30 days including today', async () => {
  for (const daysAgo of [0, 6, 7, 29, 30]) await apply({ total: 'logins' }, addDays(now, -daysAgo))
  const service = new StatsService({ repository, now: () => now.getTime() })
  const { today, last_7_days, last_30_days } = await service.getStatsSummary()
  expect([today.logins, last_7_days.logins, last_30_days.logins]).toEqual([1, 2, 4])
})

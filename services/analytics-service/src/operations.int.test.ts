import type { Fact, ServiceOperations } from '@bigtech/service-kit'
import { createTestMysql, type TestMysql } from '@bigtech/testkit'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { migrationsDir } from '../testing/harness.ts'
import { createMysql, type Mysql } from './infrastructure/mysql.ts'
import { StatsRepository } from './modules/stats/stats.repository.ts'
import type { Effect } from './modules/stats/stats.ts'
import { openOperations } from './operations.ts'

let database: TestMysql
let mysql: Mysql
let operations: ServiceOperations
const now = new Date()
const today = now.toISOString().slice(0, 10)

beforeAll(async () => {
  database = await createTestMysql({ migrationsDir })
  mysql = createMysql(database.url, new Registry())
  operations = await openOperations({ DATABASE_URL: database.url })
})
afterAll(async () => {
  await operations?.close()
  await mysql?.close()
  await database?.drop()
})

async function count(...effects: Effect[]): Promise<void> {
  const repository = new StatsRepository(mysql)
  for (const effect of effects) await repository.apply([{ eventId: crypto.randomUUID(), at: now, effect }])
}

const textOf = (findings: readonly { subject: string; detail: string }[] = []) =>
  findings.map(({ subject, detail }) => `${subject} ${detail}`)
const verify = async (fix = false) => textOf(await operations.verify?.({ fix }))
const verifyOwned = async (facts: readonly Fact[], fix = false) =>
  textOf(await operations.verifyOwned?.(iterate(facts), { fix }))

async function* iterate(facts: readonly Fact[]): AsyncGenerator<Fact, void> {
  yield* facts
}
const user = (id: number, deleted = false, day = today): Fact => ({
  kind: 'user',
  ids: [id],
  fields: { deleted, registered_on: day },
})

it('verify finds and repairs totals that differ from the rows behind them, and changes nothing without --fix', async () => {
  await count(
    { total: 'messages', activeUserId: 1, roomId: 7 },
    { total: 'messages', activeUserId: 1, roomId: 8 },
    { total: 'friend_requests', requestSent: 5 },
    { total: 'friend_requests_accepted', requestAccepted: 5 },
  )
  expect(await verify()).toEqual([])

  await database.query("UPDATE daily_totals SET total = 9 WHERE metric = 'messages'")
  await database.query("DELETE FROM daily_totals WHERE metric = 'friend_requests_converted'")
  const wrong = [
    `messages of ${today} are 2, but the stored total is 9`,
    `friend_requests_converted of ${today} are 1, but the stored total is 0`,
  ]
  expect(await verify()).toEqual(wrong)
  expect(await verify(true)).toEqual(wrong)
  expect(await verify()).toEqual([])
})

it('verify finds and repairs activity that is stored under the id of an erased user', async () => {
  await count({ total: 'accounts_deleted', eraseUserId: 31 })
  await database.query('INSERT INTO daily_active (day, user_id, online) VALUES (?, 31, 0)', [today])
  expect(await verify()).toEqual(['user 31 is erased, but daily_active contains the id'])
  await verify(true)
  expect(await verify()).toEqual([])
  const [kept] = await database.query<{ users: number }>(
    'SELECT COUNT(*) AS users FROM daily_active WHERE day = ? AND user_id < 0',
    [today],
  )
  expect(Number(kept?.users)).toBe(1)
})

it('verify compares sign-ups and erasures with the accounts of user-service', async () => {
  await count({ total: 'sign_ups' }, { total: 'sign_ups' }, { total: 'logins', activeUserId: 52 })
  // A user from before the first figure was never counted here.
  const accounts = [user(50, false, '2001-01-01'), user(51), user(52)]
  expect(await verifyOwned(accounts)).toEqual([])

  const changed = [...accounts, user(53)].map((fact) =>
    fact.ids[0] === 52 ? { ...fact, fields: { ...fact.fields, deleted: true } } : fact,
  )
  const wrong = [
    'user 52 is deleted, but not erased from the figures',
    `sign_ups of ${today} are 3, but the stored total is 2`,
  ]
  expect(await verifyOwned(changed)).toEqual(wrong)
  expect(await verifyOwned(changed, true)).toEqual(wrong)
  expect(await verifyOwned(changed)).toEqual([])
  expect(await database.query('SELECT 1 FROM daily_active WHERE user_id = 52')).toEqual([])
})

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { StoreUnavailable } from '@bigtech/service-kit'
import { createTestMysql, createTestRedis, type TestMysql } from '@bigtech/testkit'
import { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { createMysql, type Mysql } from '../../infrastructure/mysql.ts'
import { type FlushStep, flushLastSeen } from './last-seen-buffer.ts'
import { createPresenceStore, type PresenceStore } from './presence.store.ts'

const root = join(import.meta.dirname, '../../..')
const USERS = 40
const steps: readonly FlushStep[] = ['claimed', 'noted', 'applied', 'committed', 'dropped']

let database: TestMysql
let mysql: Mysql
let testRedis: Awaited<ReturnType<typeof createTestRedis>>
let redis: Redis
let presence: PresenceStore
/** What MySQL must say in the end. */
let expected: Map<number, { times: number; seen: number }>

beforeAll(async () => {
  database = await createTestMysql({ migrationsDir: join(root, 'migrations') })
  testRedis = await createTestRedis()
  redis = new Redis(testRedis.url)
  mysql = createMysql(database.url, new Registry(), 3)
  const run = <Result>(_operation: string, work: (client: Redis) => Promise<Result>) => work(redis)
  presence = createPresenceStore({ run, client: redis, healthy: true }, { ttlMs: 60_000, graceMs: 0 })
})
afterAll(async () => {
  redis.disconnect()
  await mysql.close()
  await Promise.all([database.drop(), testRedis.release()])
})
beforeEach(async () => {
  await Promise.all([database.query('DELETE FROM users'), redis.flushdb()])
  await database.query(
    `INSERT INTO users (id, email, username, username_key, display_name, locale, created_at, updated_at)
     WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
     SELECT n, NULL, CONCAT('w', n), CONCAT('w', n), '', 'ko', NOW(3), NOW(3) FROM numbers`,
    [USERS],
  )
  expected = new Map(Array.from({ length: USERS }, (_, index) => [index + 1, { times: 0, seen: 0 }]))
})

/** Users come online and go again. Some of their signs are older than what is known. */
async function comeAndGo(userIds: readonly number[]): Promise<void> {
  const at = Date.now() - Math.floor(Math.random() * 1_000)
  await presence.touch({ source: `s${at}:${Math.random()}`, userIds, at: new Date(at) })
  for (const userId of userIds) {
    const known = expected.get(userId)!
    expected.set(userId, { times: known.times + 1, seen: Math.max(known.seen, at) })
  }
  await redis.zadd('user:presence:deadlines', ...userIds.flatMap((userId) => [0, String(userId)]))
  while ((await presence.sweep()) > 0);
}

const someUsers = () => [...expected.keys()].filter(() => Math.random() < 0.3)

async function stored() {
  const rows = await database.query<{ id: number; times: number; seen: Date | null }>(
    'SELECT id, online_count AS times, last_seen_at AS seen FROM users ORDER BY id',
  )
  return new Map(rows.map(({ id, times, seen }) => [id, { times, seen: seen?.getTime() ?? 0 }]))
}

/** Flushes everything: an interrupted batch first, then what came in after it. Returns how many users that were. */
async function flushAll(): Promise<number> {
  let users = 0
  while ((await redis.exists('user:presence:dirty', 'user:presence:batch')) > 0)
    users += await flushLastSeen(redis, mysql).catch((err: unknown) => {
      // The machine is busy: the batch is still there.
      if (err instanceof StoreUnavailable) return 0
      throw err
    })
  return users
}

const children = new Set<ChildProcess>()
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
})

function startFlushing(dieAt: FlushStep): ChildProcess {
  const settings = { redisUrl: testRedis.url, databaseUrl: database.url, dieAt }
  const script = join(root, 'testing/flush-process.ts')
  const child = spawn(process.execPath, [script, JSON.stringify(settings)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

it('the last-seen buffer neither loses nor repeats a change when 25 processes are killed at every step of a flush', async () => {
  let alive = 25
  let isOver = false
  const lanes = Array.from({ length: 5 }, async () => {
    for (const step of steps) {
      const child = startFlushing(step)
      const [, signal] = await once(child, 'exit')
      expect(signal).toBe('SIGKILL')
      alive--
    }
  })
  const writing = (async () => {
    while (alive > 0 && !isOver) {
      await comeAndGo([...new Set([1, ...someUsers()])])
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  await Promise.all([...lanes, writing]).finally(() => {
    isOver = true
  })
  await flushAll()
  expect(await stored()).toEqual(expected)
  expect(expected.get(1)!.times).toBeGreaterThan(25)
}, 240_000)

it('the last-seen buffer never moves last_seen_at back, in any order of flushes', async () => {
  await comeAndGo([1])
  await flushAll()
  await redis.hset('user:presence:dirty', 'seen:1', Date.now() - 86_400_000)
  await flushAll()
  expect(await stored()).toEqual(expected)
})

it('the last-seen buffer writes nothing for an account deleted before the flush', async () => {
  await comeAndGo([2, 3])
  await presence.forget(3)
  await database.query("UPDATE users SET status = 'deleted' WHERE id = 2")
  await flushAll()
  const rows = await stored()
  expect([rows.get(2), rows.get(3)]).toEqual([
    { times: 0, seen: 0 },
    { times: 0, seen: 0 },
  ])
})

it('the last-seen buffer writes all users changed since the last flush in one transaction', async () => {
  for (let round = 0; round < 10; round++) await comeAndGo([...expected.keys()])
  expect(await flushAll()).toBe(USERS)
  expect(await stored()).toEqual(expected)
})

import { createFaultProxy, createTestMysql, type FaultProxy, type TestMysql, waitFor } from '@bigtech/testkit'
import { createPool, type Pool } from 'mariadb'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectionOptions } from './connection.ts'
import { StoreUnavailable } from './errors.ts'
import { SqlStore } from './sql-store.ts'
import { StoreMetrics } from './store-metrics.ts'

let mysql: TestMysql
let proxy: FaultProxy
let pool: Pool
let store: SqlStore<Pool, ReturnType<typeof clientOn>>

/** A minimal Prisma client for the store, backed by the pool alone. */
function clientOn(connections: Pool) {
  return {
    $transaction: <Result>(work: (tx: Pool) => Promise<Result>) => work(connections),
    $disconnect: () => connections.end(),
  }
}

beforeAll(async () => {
  mysql = await createTestMysql()
  const { host, port } = connectionOptions(mysql.url)
  proxy = await createFaultProxy({ host, port })
  const url = new URL(mysql.url)
  url.host = `127.0.0.1:${proxy.port}`
  pool = createPool({ ...connectionOptions(url.href), connectionLimit: 2, socketTimeout: 3_000 })
  store = new SqlStore(clientOn(pool), url.href, new StoreMetrics(new Registry()))
})
afterAll(async () => {
  await proxy.restore()
  await store.close()
  await proxy.close()
  await mysql.drop()
})

const apply = () => store.$transaction((tx) => tx.query('SELECT 1'))
const hotRead = async () => (await store.read('test', { sql: 'SELECT 1 AS one', values: [] }))[0]
const hotTransaction = () => store.hotTransaction('test', (tx) => tx.read({ sql: 'SELECT 1', values: [] }))
const failure = (call: () => Promise<unknown> = apply) =>
  call().then(
    () => undefined,
    (err: unknown) => err,
  )

it('a store rejects with StoreUnavailable while the server hangs and after it has stopped', async () => {
  await apply()
  await hotRead()
  await hotTransaction()
  proxy.freeze()
  for (const rejected of await Promise.all([failure(), failure(hotRead), failure(hotTransaction)]))
    expect(rejected).toBeInstanceOf(StoreUnavailable)
  await proxy.restore()
  await proxy.cut()
  for (const rejected of await Promise.all([failure(), failure(hotRead), failure(hotTransaction)]))
    expect(rejected).toBeInstanceOf(StoreUnavailable)
  await proxy.restore()
  await waitFor(hotRead, { timeoutMs: 20_000, what: 'a hot read after the outage' })
})

it('a hot transaction reads what is committed, takes effect as a whole or not at all, and is retried after a deadlock', async () => {
  await mysql.query('CREATE TABLE hot (id INT PRIMARY KEY, total INT NOT NULL) ENGINE=InnoDB')
  const add = (id: number) => ({
    sql: 'INSERT INTO hot VALUES (?, 1) ON DUPLICATE KEY UPDATE total = total + 1',
    values: [id],
  })
  const failing = store.hotTransaction('test', async (tx) => {
    await tx.write(add(1))
    throw new Error('effect failed')
  })
  await expect(failing).rejects.toThrow('effect failed')
  const rows = () => store.read('test', { sql: 'SELECT id, total FROM hot ORDER BY id', values: [] })
  expect(await rows()).toEqual([])

  const totals = () => ({ sql: 'SELECT COUNT(*) AS count FROM hot', values: [] })
  const [before, after] = await store.hotTransaction('test', async (tx) => {
    const first = await tx.read<{ count: bigint }>(totals())
    await mysql.query('INSERT INTO hot VALUES (3, 1)')
    return [first, await tx.read<{ count: bigint }>(totals())]
  })
  expect([before[0]!.count, after[0]!.count]).toEqual([0n, 1n])

  // Each holds the row that the other one needs next.
  const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let attempts = 0
  const inOrder = (first: number, second: number, own: 0 | 1) =>
    store.hotTransaction('test', async (tx) => {
      attempts++
      await tx.write(add(first))
      both[own]!.resolve()
      await both[1 - own]!.promise
      await tx.write(add(second))
    })
  await Promise.all([inOrder(1, 2, 0), inOrder(2, 1, 1)])
  expect(attempts).toBe(3)
  expect(await rows()).toEqual([
    { id: 1, total: 2 },
    { id: 2, total: 2 },
    { id: 3, total: 1 },
  ])
})

it('a hot read takes and returns times as UTC in any time zone, and returns a BIGINT as a bigint', async () => {
  const at = new Date('2026-03-29T01:30:00.123Z')
  const text = "quote ' and \\ and 가"
  const zone = process.env.TZ
  process.env.TZ = 'Asia/Seoul'
  try {
    const [row] = await store.read<Record<string, unknown>>('test', {
      sql: "SELECT CAST(? AS DATETIME(3)) AS at, ? = '2026-03-29 01:30:00.123' AS same, CAST(9007199254740993 AS SIGNED) AS big, ? AS text, ? AS nothing",
      values: [at, at, text, null],
    })
    expect(row).toEqual({ at, same: 1, big: 9007199254740993n, text, nothing: null })
  } finally {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  }
})

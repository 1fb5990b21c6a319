import { createFaultProxy, createTestMysql, type FaultProxy, type TestMysql } from '@bigtech/testkit'
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
const failure = () =>
  apply().then(
    () => undefined,
    (err: unknown) => err,
  )

it('a store rejects with StoreUnavailable while the server hangs and after it has stopped', async () => {
  await apply()
  proxy.freeze()
  expect(await failure()).toBeInstanceOf(StoreUnavailable)
  await proxy.restore()
  await proxy.cut()
  expect(await failure()).toBeInstanceOf(StoreUnavailable)
})

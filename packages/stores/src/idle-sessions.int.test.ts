import { createTestMysql, type TestMysql } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { prismaAdapter } from './connection.ts'

type Adapter = Awaited<ReturnType<ReturnType<typeof prismaAdapter>['connect']>>

/** Stands for the server's `--wait-timeout`, which other tests share. */
const WAIT_TIMEOUT_SECONDS = 1

let mysql: TestMysql
let adapter: Adapter

beforeAll(async () => {
  mysql = await createTestMysql()
  await mysql.query('CREATE TABLE jobs (id INT PRIMARY KEY, state VARCHAR(10)) ENGINE=InnoDB')
  await mysql.query("INSERT INTO jobs VALUES (1, 'waiting')")
  adapter = await prismaAdapter(mysql.url, 2).connect()
})
afterAll(async () => {
  await adapter.dispose()
  await mysql.drop()
})

const statement = (sql: string) => ({ sql, args: [], argTypes: [] })

async function sessions(): Promise<number> {
  const rows = await mysql.query<{ count: number }>(
    'SELECT COUNT(*) AS count FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()',
  )
  return Number(rows[0]?.count)
}

it('runs queries after the server has closed every idle session of the pool', async () => {
  const both = [
    await adapter.startTransaction('READ COMMITTED'),
    await adapter.startTransaction('READ COMMITTED'),
  ]
  for (const transaction of both) {
    await transaction.executeRaw(statement(`SET SESSION wait_timeout = ${WAIT_TIMEOUT_SECONDS}`))
    await transaction.commit()
  }
  await vi.waitFor(async () => expect(await sessions()).toBe(0), { timeout: 20_000, interval: 100 })
  const counts = await Promise.all(
    Array.from({ length: 6 }, () => adapter.queryRaw(statement('SELECT COUNT(*) FROM jobs'))),
  )
  expect(counts.map(({ rows }) => Number(rows[0]?.[0]))).toEqual([1, 1, 1, 1, 1, 1])
})

it('releases the locks of a process that stops in the middle of a transaction', async () => {
  const paused = await adapter.startTransaction('READ COMMITTED')
  await paused.executeRaw(statement(`SET SESSION wait_timeout = ${WAIT_TIMEOUT_SECONDS}`))
  await paused.executeRaw(statement("UPDATE jobs SET state = 'running' WHERE id = 1"))
  await adapter.executeRaw(statement("UPDATE jobs SET state = 'stolen' WHERE id = 1"))
  const { rows } = await adapter.queryRaw(statement('SELECT state FROM jobs WHERE id = 1'))
  expect(rows).toEqual([['stolen']])
  await expect(paused.executeRaw(statement("UPDATE jobs SET state = 'done' WHERE id = 1"))).rejects.toThrow()
})

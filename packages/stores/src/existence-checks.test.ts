import { expect, it, vi } from 'vitest'
import { StoreUnavailable } from './errors.ts'
import { ExistenceChecks } from './existence-checks.ts'
import type { Statement } from './hot-pool.ts'

const query = (table: string, value: number): Statement => ({
  sql: `SELECT 1 FROM ${table} WHERE id = ?`,
  values: [value],
})

it('what timers of the same moment ask for is one statement, with an answer for each', async () => {
  const read = vi.fn(async (_statement: Statement) => [{ c0: 1, c1: 0, c2: 1n }])
  const checks = new ExistenceChecks(read)
  const timers = ['a', 'b', 'c'].map(
    (table, index) =>
      new Promise<boolean>((resolve) => setTimeout(() => resolve(checks.has(query(table, index))), 5)),
  )
  expect(await Promise.all(timers)).toEqual([true, false, true])
  expect(read.mock.calls.map(([statement]) => statement)).toEqual([
    {
      sql: 'SELECT EXISTS (SELECT 1 FROM a WHERE id = ?) AS c0, EXISTS (SELECT 1 FROM b WHERE id = ?) AS c1, EXISTS (SELECT 1 FROM c WHERE id = ?) AS c2',
      values: [0, 1, 2],
    },
  ])
})

it('a query that fails does not stop the answers of those asked with it', async () => {
  const read = vi.fn(async ({ sql }: Statement) => {
    if (sql.includes('broken')) throw new Error('no such table')
    return [{ c0: 1 }]
  })
  const checks = new ExistenceChecks(read)
  const asked = ['a', 'broken', 'b'].map((table) => checks.has(query(table, 1)))
  const outcomes = await Promise.allSettled(asked)
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

it('an outage of the store is reported to all after one attempt', async () => {
  const read = vi.fn(async () => {
    throw new StoreUnavailable('mysql')
  })
  const checks = new ExistenceChecks(read)
  const outcomes = await Promise.allSettled([1, 2, 3].map((id) => checks.has(query('a', id))))
  expect(outcomes.map(({ status }) => status)).toEqual(Array(3).fill('rejected'))
  expect(read).toHaveBeenCalledTimes(1)
})

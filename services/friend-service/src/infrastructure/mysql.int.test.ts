import { createTestMysql, type TestMysql } from '@bigtech/testkit'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrationsDir } from '../../testing/harness.ts'
import { createMysql, type Mysql } from './mysql.ts'

let test: TestMysql
let mysql: Mysql
beforeAll(async () => {
  test = await createTestMysql({ migrationsDir })
  mysql = createMysql(test.url, new Registry())
})
afterAll(async () => {
  await mysql.close()
  await test.drop()
})

describe('a transaction', () => {
  it('a transaction is retried after a deadlock, so that two in opposite lock order both succeed', async () => {
    await test.query('INSERT INTO request_senders VALUES (1), (2)')
    let waiting = 0
    const bothHoldOne = Promise.withResolvers<void>()
    let attempts = 0
    const lockBoth = (first: number, second: number) =>
      mysql.$transaction(async (tx) => {
        attempts++
        await tx.$queryRaw`SELECT 1 FROM request_senders WHERE user_id = ${first} FOR UPDATE`
        if (++waiting === 2) bothHoldOne.resolve()
        await bothHoldOne.promise
        await tx.$queryRaw`SELECT 1 FROM request_senders WHERE user_id = ${second} FOR UPDATE`
        return first
      })
    expect(await Promise.all([lockBoth(1, 2), lockBoth(2, 1)])).toEqual([1, 2])
    expect(attempts).toBe(3)
  })

  it('a transaction that throws leaves nothing behind and is not retried', async () => {
    let attempts = 0
    const failing = mysql.transaction('test', async (tx) => {
      attempts++
      await tx.$executeRaw`INSERT INTO request_senders VALUES (3)`
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(attempts).toBe(1)
    expect(await test.query('SELECT 1 FROM request_senders WHERE user_id = 3')).toEqual([])
  })
})

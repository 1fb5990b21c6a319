import { createFaultProxy, createTestMysql, type FaultProxy, type TestMysql } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectionOptions } from './connection.ts'
import { MysqlLivenessProbe } from './liveness-probe.ts'

let mysql: TestMysql
let proxy: FaultProxy
let probe: MysqlLivenessProbe

beforeAll(async () => {
  mysql = await createTestMysql()
  const { host, port } = connectionOptions(mysql.url)
  proxy = await createFaultProxy({ host, port })
  probe = new MysqlLivenessProbe({ ...connectionOptions(mysql.url), host: '127.0.0.1', port: proxy.port })
})
afterAll(async () => {
  await probe.close()
  await proxy.close()
  await mysql.drop()
})

const never = () => new Promise<never>(() => undefined)

it('a query waits longer for slow work on a responsive server than for a hung server', async () => {
  const slow = mysql.query('SELECT SLEEP(2.5)').then(() => 'done')
  expect(await probe.whileResponding(slow)).toBe('done')
})

it('a query rejects with StoreUnavailable within 2 s when the server hangs', async () => {
  await probe.probe()
  proxy.freeze()
  const startedAt = performance.now()
  await expect(probe.whileResponding(never())).rejects.toMatchObject({ name: 'StoreUnavailable' })
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

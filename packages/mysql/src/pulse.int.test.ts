import { createFaultProxy, createTestMysql, type FaultProxy, type TestMysql } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectionOptions } from './connection.ts'
import { MysqlPulse } from './pulse.ts'

let mysql: TestMysql
let proxy: FaultProxy
let pulse: MysqlPulse

beforeAll(async () => {
  mysql = await createTestMysql()
  const { host, port } = connectionOptions(mysql.url)
  proxy = await createFaultProxy({ host, port })
  pulse = new MysqlPulse({ ...connectionOptions(mysql.url), host: '127.0.0.1', port: proxy.port })
})
afterAll(async () => {
  await pulse.close()
  await proxy.close()
  await mysql.drop()
})

const never = () => new Promise<never>(() => undefined)

it('work that is slow on a server that answers is waited for, longer than a silent server would be', async () => {
  const slow = mysql.query('SELECT SLEEP(2.5)').then(() => 'done')
  expect(await pulse.unlessSilent(slow)).toBe('done')
})

it('whoever waits for a server that hangs hears StoreUnavailable within 2 s', async () => {
  await pulse.ask()
  proxy.freeze()
  const startedAt = performance.now()
  await expect(pulse.unlessSilent(never())).rejects.toMatchObject({ name: 'StoreUnavailable' })
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

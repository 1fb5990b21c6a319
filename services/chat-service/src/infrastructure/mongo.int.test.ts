import { createLogger, Lifecycle, type Service } from '@bigtech/service-kit'
import { createFaultProxy, createTestMongo, waitFor } from '@bigtech/testkit'
import { type Connection, Schema } from 'mongoose'
import { expect, it, onTestFinished } from 'vitest'
import { openMongo } from './mongo.ts'

/** Ends the checks of the server, as a check that never ends does. */
function endChecks(connection: Connection): void {
  const client = connection.getClient() as unknown as {
    topology: { s: { servers: Map<string, { monitor: { close(): void } }> } }
  }
  for (const { monitor } of client.topology.s.servers.values()) monitor.close()
}

it('a connection whose driver no longer checks the server is replaced after an outage', async () => {
  const mongo = createTestMongo()
  const { hostname, port } = new URL(mongo.url)
  const proxy = await createFaultProxy({ host: hostname, port: Number(port) })
  const url = new URL(mongo.url)
  url.host = `${proxy.host}:${proxy.port}`
  const log = createLogger({ service: 'test', level: 'silent' })
  const lifecycle = new Lifecycle(log)
  const service = { log, lifecycle, readiness: { add: () => undefined } } as unknown as Service
  const connection = openMongo(service, url.href, 300)
  onTestFinished(async () => {
    await lifecycle.stop()
    await proxy.close()
    await mongo.drop()
  })
  const model = connection.model('Message', new Schema({}, { collection: 'messages' }))
  const isUsable = () =>
    model.findOne().then(
      () => true,
      () => false,
    )
  await waitFor(isUsable, { what: 'the first connection' })
  endChecks(connection)
  await proxy.cut()
  expect(await isUsable()).toBe(false)
  await proxy.restore()
  await waitFor(isUsable, { timeoutMs: 10_000, what: 'the second connection' })
})

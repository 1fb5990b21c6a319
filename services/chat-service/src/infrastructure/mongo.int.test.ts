import { once } from 'node:events'
import { createLogger, Lifecycle, type Service } from '@bigtech/service-kit'
import { createFaultProxy, createTestMongo, waitFor } from '@bigtech/testkit'
import { type Connection, Schema } from 'mongoose'
import { expect, it, onTestFinished } from 'vitest'
import { openMongo } from './mongo.ts'

interface DriverServer {
  readonly monitor: { close(): void }
  readonly pool: { readonly minPoolSizeTimer?: { readonly _idleTimeout: number } }
}

function serversOf(connection: Connection): DriverServer[] {
  const client = connection.getClient() as unknown as {
    topology: { s: { servers: Map<string, DriverServer> } }
  }
  return [...client.topology.s.servers.values()]
}

/** Ends the checks of the server, as a check that never ends does. */
function endChecks(connection: Connection): void {
  for (const { monitor } of serversOf(connection)) monitor.close()
}

/** Opens a connection that the end of the test closes. */
function open(url: string, replaceAfterMs?: number): Connection {
  const log = createLogger({ service: 'test', level: 'silent' })
  const lifecycle = new Lifecycle(log)
  onTestFinished(() => lifecycle.stop().then(() => undefined))
  const service = { log, lifecycle, readiness: { add: () => undefined } } as unknown as Service
  return openMongo(service, url, replaceAfterMs)
}

it('a connection whose driver no longer checks the server is replaced after an outage', async () => {
  const mongo = createTestMongo()
  const { hostname, port } = new URL(mongo.url)
  const proxy = await createFaultProxy({ host: hostname, port: Number(port) })
  const url = new URL(mongo.url)
  url.host = `${proxy.host}:${proxy.port}`
  onTestFinished(async () => {
    await proxy.close()
    await mongo.drop()
  })
  const connection = open(url.href, 300)
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

it('an idle pool of connections to MongoDB wakes the process every 10 s, not ten times a second', async () => {
  const mongo = createTestMongo()
  onTestFinished(() => mongo.drop())
  const connection = open(mongo.url)
  const checks = () => serversOf(connection).map(({ pool }) => pool.minPoolSizeTimer?._idleTimeout)
  await once(connection, 'connected')
  await waitFor(() => checks().every((interval) => interval === 10_000))
})

import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server } from 'node:tls'
import { makeCertificate, waitFor } from '@bigtech/testkit'
import mongoose from 'mongoose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestChat, type TestChat } from '../../testing/chat.ts'
import { mongoOptions } from './mongo.ts'

const folder = mkdtempSync(join(tmpdir(), 'bigtech-mongo-tls-'))
const authority = join(folder, 'cert.pem')
let chat: TestChat
let server: Server

/** Starts a server that demands TLS and forwards to the MongoDB behind it. */
async function startSecured(url: string, certificate: { file: string; key: string }): Promise<Server> {
  const { hostname, port } = new URL(url)
  const options = { cert: readFileSync(certificate.file), key: readFileSync(certificate.key) }
  const secured = createServer(options, (client) => {
    const behind = connect(Number(port), hostname)
    client.on('error', () => behind.destroy())
    behind.on('error', () => client.destroy())
    client.pipe(behind).pipe(client)
  })
  secured.on('tlsClientError', () => {}).listen(0, '127.0.0.1')
  await once(secured, 'listening')
  return secured
}

/** The URL of the secured server with these options. */
function securedUrl(options: Record<string, string>): string {
  const url = new URL(chat.config.MONGO_URL)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const [name, value] of Object.entries(options)) url.searchParams.set(name, value)
  return url.toString()
}

beforeAll(async () => {
  chat = await startTestChat()
  server = await startSecured(chat.config.MONGO_URL, makeCertificate(folder))
}, 60_000)
afterAll(async () => {
  await chat?.close()
  server?.close()
  rmSync(folder, { recursive: true })
})

it('the MongoDB store works with a server that requires TLS when its URL names the authority', {
  timeout: 60_000,
}, async () => {
  const secured = await chat.another({ MONGO_URL: securedUrl({ tls: 'true', tlsCAFile: authority }) })
  await waitFor(async () => (await secured.app.inject('/ready')).json().checks?.mongodb === 'up', {
    timeoutMs: 40_000,
  })
})

it('the MongoDB store rejects a server of an unknown authority, and cannot connect without TLS to a server that requires TLS', async () => {
  const other = join(folder, 'other')
  mkdirSync(other)
  const foreign = makeCertificate(other).file
  for (const options of [{}, { tls: 'true' }, { tls: 'true', tlsCAFile: foreign }]) {
    const connection = mongoose.createConnection()
    await expect(connection.openUri(securedUrl(options), { ...mongoOptions })).rejects.toThrow()
    await connection.close()
  }
})

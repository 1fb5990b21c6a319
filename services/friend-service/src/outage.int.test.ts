import { createServer, type Server, type Socket } from 'node:net'
import { loadConfig } from '@bigtech/service-kit'
import { createTestIssuer, type TestIssuer } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Harness, newUsers, startHarness } from '../testing/harness.ts'
import { buildFriendService } from './app.ts'
import { configSchema } from './config.ts'

let silent: Server
let silentPort: number
const sockets: Socket[] = []
let issuer: TestIssuer
let harness: Harness
beforeAll(async () => {
  // Accepts connections but never responds: the worst kind of outage.
  silent = createServer((socket) => void sockets.push(socket.on('error', () => undefined)))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  silentPort = (silent.address() as { port: number }).port
  issuer = await createTestIssuer()
  harness = await startHarness()
})
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  silent.close()
  await harness.stop()
})

const serviceWith = (env: Record<string, string>) =>
  buildFriendService(
    loadConfig(configSchema, {
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      DATABASE_URL: harness.config.DATABASE_URL,
      KAFKA_BROKERS: '127.0.0.1:1',
      ...env,
    }),
    { keys: issuer.keys },
  )

describe('an outage', () => {
  it.each([
    ['is refused', 'mysql://root@127.0.0.1:1/nothing'],
    ['hangs', 'silent'],
  ])(
    'an outage of MySQL that %s results in 503 with Retry-After within 2 s, and the process stays live',
    async (_case, url) => {
      const DATABASE_URL = url === 'silent' ? `mysql://root@127.0.0.1:${silentPort}/nothing` : url
      const service = await serviceWith({ DATABASE_URL })
      const headers = { authorization: `Bearer ${await issuer.token({ userId: 1 })}` }
      for (const request of [
        { method: 'GET', url: '/friends' },
        { method: 'POST', url: '/friends/request', payload: { target_user_id: 2 } },
        { method: 'POST', url: '/friends/requests/1/accept' },
      ] as const) {
        const begin = performance.now()
        const answer = await service.app.inject({ headers, ...request })
        expect(performance.now() - begin).toBeLessThan(2_500)
        expect(answer.statusCode, answer.body).toBe(503)
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      }
      expect((await service.app.inject('/live')).statusCode).toBe(200)
      expect((await service.app.inject('/ready')).statusCode).toBe(503)
      await service.stop()
    },
  )

  it('the lists stay available, marked stale, within 2 s while user-service hangs', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    const sent = await harness.call(mina, 'POST', '/friends/request', { target_user_id: joon })
    await harness.call(joon, 'POST', `/friends/requests/${sent.body.request_id}/accept`)
    const service = await serviceWith({ USER_SERVICE_URL: `http://127.0.0.1:${silentPort}` })
    const begin = performance.now()
    const answer = await service.app.inject({
      url: '/friends',
      headers: { authorization: `Bearer ${await issuer.token({ userId: mina })}` },
    })
    expect(performance.now() - begin).toBeLessThan(2_500)
    expect(answer.json()).toMatchObject({ stale: true, items: [{ user_id: joon, username: `user${joon}` }] })
    await service.stop()
  })

  it('an outage of Kafka does not affect requests, whose events wait in the outbox', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    const service = await serviceWith({ USER_SERVICE_URL: harness.config.USER_SERVICE_URL })
    const answer = await service.app.inject({
      method: 'POST',
      url: '/friends/request',
      headers: { authorization: `Bearer ${await issuer.token({ userId: mina })}` },
      payload: { target_user_id: joon },
    })
    expect(answer.statusCode).toBe(201)
    expect(await harness.eventsOf(mina, joon)).toMatchObject([{ event_type: 'FriendRequestSent' }])
    await service.stop()
  })
})

import { defineRoute } from '@bigtech/contracts'
import { baseConfig, buildService, loadConfig, port, route, type Service } from '@bigtech/service-kit'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import {
  PASSWORD,
  type Person,
  type TestService,
  type TestWorld,
  testWorld,
} from '../../../testing/harness.ts'

const NO_KAFKA = '127.0.0.1:9'
const thing = defineRoute({
  operationId: 'getThing',
  method: 'GET',
  path: '/thing',
  tag: 'things',
  summary: 'A thing',
  success: { status: 200, description: 'It.', schema: z.object({ ok: z.boolean() }) },
})

let world: TestWorld
let users: TestService
let neighbour: Service
/** A second process of user-service. */
let twin: TestService
const ended: string[] = []

beforeAll(async () => {
  world = await testWorld()
  ;[users, twin] = await Promise.all([
    world.build({ KAFKA_BROKERS: NO_KAFKA }),
    world.build({ KAFKA_BROKERS: NO_KAFKA }),
  ])
  const url = await users.listen()
  neighbour = await buildService({
    name: 'thing-service',
    title: 'Thing Service',
    description: 'Another service, which learns of sessions only from user-service.',
    config: loadConfig(z.object({ ...baseConfig.shape, PORT: port }), {
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      PORT: '0',
      KAFKA_BROKERS: NO_KAFKA,
      JWKS_URL: `${url}/.well-known/jwks.json`,
    }),
  })
  route(neighbour.app, thing, () => ({ ok: true }))
  neighbour.revocations.onRevoked((sessionIds) => void ended.push(...sessionIds))
  await neighbour.start()
})
afterAll(async () => {
  await neighbour.stop()
  await world.close()
})

const ask = async (token: string) => {
  const answer = await neighbour.app.inject({ url: '/thing', headers: { authorization: `Bearer ${token}` } })
  return answer.statusCode === 200 ? 'ok' : answer.json().code
}

const askTwin = async (token: string) =>
  (await twin.call('GET', '/auth/sessions', { token })).body.code ?? 'ok'

it.each([
  ['signed out', (person: Person) => users.call('POST', '/auth/logout', { token: person.token })],
  [
    'of a deleted account',
    (person: Person) =>
      users.call('DELETE', '/profile/me', { token: person.token, body: { password: PASSWORD } }),
  ],
])(
  'during a Kafka outage a session %s is refused by every service and process, and its streams close, within 2 s',
  async (_how, end) => {
    const person = await users.person()
    expect([await ask(person.token), await askTwin(person.token)]).toEqual(['ok', 'ok'])
    await end(person)
    const endedAt = performance.now()
    await waitFor(async () => (await ask(person.token)) === 'SESSION_REVOKED')
    await waitFor(async () => (await askTwin(person.token)) === 'SESSION_REVOKED')
    expect(performance.now() - endedAt).toBeLessThan(2_000)
    expect(ended.filter((id) => id === person.tokens.session_id)).toHaveLength(1)
  },
)

it('a restarted service loads the sessions ended in the last 10 minutes before any newer ones', async () => {
  const person = await users.person()
  await users.call('POST', '/auth/logout', { token: person.token })
  const since = new Date(Date.now() - 600_000).toISOString()
  const { body } = await users.call('GET', `/.well-known/revocations.json?since=${since}`)
  expect(body.items.map((item: { session_id: string }) => item.session_id)).toContain(
    person.tokens.session_id,
  )
  expect(JSON.stringify(body)).not.toContain(person.username)
})

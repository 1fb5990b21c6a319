import { createFaultProxy, type FaultProxy, testServers, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PASSWORD, type Person, type TestService, type TestWorld, testWorld } from '../testing/harness.ts'

let world: TestWorld
let users: TestService
let mysql: FaultProxy
let redis: FaultProxy
let person: Person

beforeAll(async () => {
  world = await testWorld()
  const servers = testServers()
  ;[mysql, redis] = await Promise.all([createFaultProxy(servers.mysql), createFaultProxy(servers.redis)])
  users = await world.build({
    DATABASE_URL: through(world.mysql.url, mysql),
    REDIS_URL: through(world.redis.url, redis),
  })
  person = await users.person()
  await waitFor(async () => (await users.call('GET', '/ready')).status === 200, {
    timeoutMs: 30_000,
    what: 'the process to be ready',
  })
}, 60_000)
beforeEach(async () => {
  await Promise.all([mysql.restore(), redis.restore()])
  await waitFor(async () => (await users.login(person.email)).status === 200, {
    what: 'the stores to recover',
  })
})
afterAll(async () => {
  await Promise.all([mysql.restore(), redis.restore()])
  await world.close()
  await Promise.all([mysql.close(), redis.close()])
})

function through(url: string, proxy: FaultProxy): string {
  const changed = new URL(url)
  changed.host = `${proxy.host}:${proxy.port}`
  return changed.toString()
}

async function timed<Result>(work: () => Promise<Result>): Promise<{ ms: number; answer: Result }> {
  const startedAt = performance.now()
  const answer = await work()
  return { ms: performance.now() - startedAt, answer }
}

const me = () => users.call('GET', '/profile/me', { token: person.token })
const login = () => users.login(person.email)

describe.each([
  ['stopped', (proxy: FaultProxy) => proxy.cut()],
  ['hanging', (proxy: FaultProxy) => proxy.freeze()],
] as const)('with MySQL %s', (_how, fail) => {
  it.each([
    ['signing in', login],
    ['signing up', () => users.register()],
    ['refreshing', () => users.refresh(person.tokens.refresh_token)],
    ['reading the profile', me],
  ])('%s returns 503 with Retry-After within 2 s during a MySQL outage', async (_what, work) => {
    await fail(mysql)
    const { ms, answer } = await timed(work)
    expect(answer.status, answer.text).toBe(503)
    expect(answer.body.code).toBe('UNAVAILABLE')
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect(ms).toBeLessThan(2_100)
  })

  it('existing tokens still authenticate during a MySQL outage, and the process is live but not ready', async () => {
    await fail(mysql)
    expect((await users.call('POST', '/users/me/presence', { token: person.token })).status).toBe(200)
    expect((await users.call('GET', '/live')).status).toBe(200)
    const ready = await users.call('GET', '/ready')
    expect(ready.status).toBe(503)
    expect(ready.body.checks).toMatchObject({ mysql: 'down', redis: 'up' })
  })

  it('everything recovers by itself after a MySQL outage', async () => {
    await fail(mysql)
    await Promise.all(Array.from({ length: 30 }, () => me()))
    await mysql.restore()
    await waitFor(async () => (await me()).status === 200, { timeoutMs: 15_000 })
  })
})

describe.each([
  ['stopped', (proxy: FaultProxy) => proxy.cut()],
  ['hanging', (proxy: FaultProxy) => proxy.freeze()],
] as const)('with Redis %s', (_how, fail) => {
  it('signing in fails closed during a Redis outage, because its rate limit is missing', async () => {
    await fail(redis)
    const { ms, answer } = await timed(login)
    expect(answer.status).toBe(503)
    expect(answer.body.code).toBe('UNAVAILABLE')
    expect(ms).toBeLessThan(2_000)
  })

  it('signed-in users can continue during a Redis outage, and ended sessions are still refused immediately', async () => {
    const other = (await login()).body
    await fail(redis)
    expect((await me()).status).toBe(200)
    expect((await users.call('POST', '/auth/logout', { token: other.access_token })).status).toBe(204)
    const refused = await users.call('GET', '/profile/me', { token: other.access_token })
    expect(refused.body.code).toBe('SESSION_REVOKED')
  })

  it('presence is unknown during a Redis outage, which is not an error', async () => {
    await fail(redis)
    const answer = await users.call('GET', `/users/presence?user_ids=${person.userId}`, {
      token: person.token,
    })
    expect(answer.status).toBe(200)
    expect(answer.body.items).toEqual([{ user_id: person.userId, online: null, last_seen_at: null }])
  })

  it('searching is rate-limited even during a Redis outage', async () => {
    const { token } = await users.person()
    await fail(redis)
    const answers = []
    for (let n = 0; n < 21; n++) answers.push(await users.call('GET', '/users/search?q=zz', { token }))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20)
    expect(answers.at(-1)?.body.code).toBe('RATE_LIMITED')
  })

  it('the process stays ready during a Redis outage, which affects every instance alike', async () => {
    await fail(redis)
    const ready = await users.call('GET', '/ready')
    expect(ready.status, ready.text).toBe(200)
    expect(ready.body.checks).toMatchObject({ mysql: 'up', redis: 'down' })
  })
})

it('a wrong password is still rejected after an outage', async () => {
  await redis.cut()
  expect((await users.login(person.email, `${PASSWORD}x`)).status).toBe(503)
  await redis.restore()
  await waitFor(async () => (await users.login(person.email, `${PASSWORD}x`)).status === 401)
})

it('an ended session is refused by every process within 2 s although Redis never received its end', async () => {
  const twin = await world.build()
  const { access_token: token } = (await twin.login(person.email)).body
  const meAtTwin = () => twin.call('GET', '/profile/me', { token })
  expect((await meAtTwin()).status).toBe(200)
  await redis.cut()
  expect((await users.call('POST', '/auth/logout', { token })).status).toBe(204)
  const { ms } = await timed(() => waitFor(async () => (await meAtTwin()).body.code === 'SESSION_REVOKED'))
  expect(ms).toBeLessThan(2_000)
})

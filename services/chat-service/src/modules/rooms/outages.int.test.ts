import { createFaultProxy, type FaultProxy, testServers, waitFor } from '@bigtech/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startTestChat, type TestChat } from '../../../testing/chat.ts'
import type { ChatConfig } from '../../config.ts'

let chat: TestChat
let mysqlProxy: FaultProxy
let redisProxy: FaultProxy
let mongoProxy: FaultProxy
/** A process whose store connections can be broken; the first process is unaffected. */
let broken: TestChat['services'][number]

const through = (url: string, { host, port }: FaultProxy) => {
  const changed = new URL(url)
  changed.hostname = host
  changed.port = String(port)
  return changed.toString()
}

beforeAll(async () => {
  chat = await startTestChat()
  const { mysql, redis, mongo } = testServers()
  mysqlProxy = await createFaultProxy({ host: mysql.host, port: mysql.port })
  redisProxy = await createFaultProxy({ host: redis.host, port: redis.port })
  const { hostname, port } = new URL(mongo.url)
  mongoProxy = await createFaultProxy({ host: hostname, port: Number(port || 27017) })
  broken = await chat.another({
    MONGO_URL: through(chat.config.MONGO_URL, mongoProxy),
    DATABASE_URL: through(chat.config.DATABASE_URL, mysqlProxy),
    REDIS_URL: through(chat.config.REDIS_URL, redisProxy),
  } satisfies Partial<ChatConfig>)
  await chat.untilReady()
}, 60_000)
afterEach(async () => {
  await Promise.all([mysqlProxy.restore(), redisProxy.restore(), mongoProxy.restore()])
  await waitFor(async () => {
    const { checks } = (await broken.app.inject('/ready')).json()
    return ['mysql', 'redis', 'mongodb'].every((store) => checks[store] === 'up')
  })
})
afterAll(async () => {
  await chat?.close()
  await Promise.all([mysqlProxy?.close(), redisProxy?.close(), mongoProxy?.close()])
})

const send = (from: number, room: number) =>
  chat.as(from, 'POST', `/messages/${room}`, { content: 'hello' }, broken)

/**
 * Waits until all room events are handled: a later event makes a process query MySQL, which fails during the
 * outage.
 */
async function allRoomsApplied(): Promise<void> {
  const isComplete = async () => {
    const { body } = await chat.as(null, 'GET', '/metrics', undefined, broken)
    const applied =
      /kafka_consumer_events_total\{[^}]*event_type="RoomCreated",result="applied"[^}]*\} (\d+)/.exec(
        body,
      )?.[1]
    const made = await chat.mysql.query("SELECT 1 FROM outbox WHERE event_type = 'RoomCreated'")
    return Number(applied) >= made.length
  }
  // The broken process may have held the relay lock.
  await waitFor(isComplete, { timeoutMs: 20_000 })
}

async function timed<Value>(work: Promise<Value>): Promise<Value & { ms: number }> {
  const started = performance.now()
  const value = await work
  return { ...value, ms: performance.now() - started }
}

describe.each([
  ['stopped', async () => mysqlProxy.cut()],
  ['hanging', async () => mysqlProxy.freeze()],
])('MySQL %s', (_how, fail) => {
  it('requests that need MySQL get 503 with Retry-After within 2 s during its outage, and the process stays alive', async () => {
    const [me] = await chat.people(1)
    const room = (await chat.as(me, 'POST', '/rooms', {}, broken)).body.room_id
    await fail()
    const requests: [string, string, unknown][] = [
      ['GET', '/rooms', undefined],
      ['POST', '/rooms', {}],
      ['GET', `/rooms/${room}`, undefined],
      ['PATCH', `/rooms/${room}`, { name: 'x' }],
      ['GET', '/rooms/export', undefined],
    ]
    for (const [method, url, body] of requests) {
      const { status, headers, ms } = await timed(chat.as(me, method, url, body, broken))
      expect(status, `${method} ${url}`).toBe(503)
      expect(Number(headers['retry-after'])).toBeGreaterThan(0)
      expect(ms, `${method} ${url}`).toBeLessThan(2_000)
    }
    expect((await broken.app.inject('/live')).statusCode).toBe(200)
    const ready = await broken.app.inject('/ready')
    // The process serves its cached rooms; removing every process from the load balancer would prevent that.
    expect(ready.json()).toMatchObject({ status: 'ready', checks: { mysql: 'down' } })
  })

  it('sends to active group and direct rooms are accepted during a MySQL outage', async () => {
    const [me, mina] = await chat.people(2)
    await chat.befriend(me, mina)
    const group = (await chat.as(me, 'POST', '/rooms', { member_ids: [mina] }, broken)).body.room_id
    const direct = (await chat.as(me, 'PUT', `/rooms/direct/${mina}`, undefined, broken)).body.room_id
    await allRoomsApplied()
    for (const room of [group, direct]) expect((await send(me, room)).status).toBe(201)
    await fail()
    for (const room of [group, direct]) {
      const { status, ms } = await timed(send(me, room))
      expect(status).toBe(201)
      expect(ms).toBeLessThan(1_000)
    }
  })
})

it('a search returns 503 rather than silently omitting rooms whose visibility MySQL cannot confirm', async () => {
  const [me] = await chat.people(1)
  const room = (await chat.as(me, 'POST', '/rooms', {}, broken)).body.room_id
  await allRoomsApplied()
  await send(me, room)
  const search = () => chat.as(me, 'GET', '/messages/search?q=hello', undefined, broken)
  // The search index follows about a second later.
  await waitFor(async () => (await search()).body.items.length === 1)
  // Drops this membership from the cache, but not the user's list of rooms.
  const muted = await chat.as(me, 'PUT', `/rooms/${room}/settings`, { muted: true }, broken)
  expect(muted.status).toBe(200)
  await mysqlProxy.cut()
  expect((await search()).status).toBe(503)
})

describe('MySQL back again', () => {
  it('the service uses MySQL again after its outage without a restart', async () => {
    const [me] = await chat.people(1)
    await mysqlProxy.cut()
    expect((await chat.as(me, 'POST', '/rooms', {}, broken)).status).toBe(503)
    await mysqlProxy.restore()
    await waitFor(async () => (await chat.as(me, 'POST', '/rooms', {}, broken)).status === 201)
  })

  it('a starting process is not ready before MySQL is available', async () => {
    await mysqlProxy.cut()
    const fresh = await chat.another({ DATABASE_URL: through(chat.config.DATABASE_URL, mysqlProxy) })
    expect((await fresh.app.inject('/ready')).statusCode).toBe(503)
    await mysqlProxy.restore()
    await waitFor(async () => (await fresh.app.inject('/ready')).statusCode === 200)
    await fresh.stop()
  })
})

describe.each([
  ['stopped', async () => redisProxy.cut()],
  ['hanging', async () => redisProxy.freeze()],
])('Redis %s', (_how, fail) => {
  it('the service serves rooms and enforces rate limits during a Redis outage', async () => {
    const [me, mina, eager] = await chat.people(3)
    await chat.befriend(me, mina)
    await fail()
    const { status, body, ms } = await timed(chat.as(me, 'POST', '/rooms', { member_ids: [mina] }, broken))
    expect(status).toBe(201)
    expect(ms).toBeLessThan(1_500)
    expect((await send(me, body.room_id)).status).toBe(201)
    expect((await chat.as(mina, 'GET', '/rooms', undefined, broken)).body.items).toHaveLength(1)
    const many = await Promise.all(
      Array.from({ length: 130 }, () => chat.as(eager, 'POST', '/rooms', {}, broken)),
    )
    expect(many.filter(({ status: each }) => each === 429).length).toBeGreaterThanOrEqual(10)
    expect((await broken.app.inject('/ready')).statusCode).toBe(200)
  })

  it('during a Redis outage a member is removed on every process by events alone', async () => {
    const [me, mina] = await chat.people(2)
    await chat.befriend(me, mina)
    const room = (await chat.as(me, 'POST', '/rooms', { member_ids: [mina] })).body.room_id
    expect((await send(mina, room)).status).toBe(201)
    await fail()
    await chat.as(me, 'DELETE', `/rooms/${room}/members/${mina}`)
    await waitFor(async () => (await send(mina, room)).status === 403, { timeoutMs: 2_000 })
  })
})

describe.each([
  ['stopped', async () => mongoProxy.cut()],
  ['hanging', async () => mongoProxy.freeze()],
])('MongoDB %s', (_how, fail) => {
  it('during a MongoDB outage the list of rooms returns 503 within 2 s, and each room change is still applied once', async () => {
    const [me, mina] = await chat.people(2)
    await chat.befriend(me, mina)
    await fail()
    const made = await chat.as(me, 'POST', '/rooms', { name: 'made' }, broken)
    expect(made).toMatchObject({ status: 201, body: { name: 'made', unread_count: 0 } })
    const room = `/rooms/${made.body.room_id}`
    expect((await chat.as(me, 'PATCH', room, { name: 'renamed' }, broken)).status).toBe(200)
    expect((await chat.as(me, 'POST', `${room}/members`, { member_ids: [mina] }, broken)).status).toBe(200)
    expect((await chat.as(me, 'PUT', `/rooms/direct/${mina}`, undefined, broken)).status).toBe(200)
    const { status, headers, ms } = await timed(chat.as(me, 'GET', '/rooms', undefined, broken))
    expect(status).toBe(503)
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    expect(ms).toBeLessThan(2_000)
    await mongoProxy.restore()
    await waitFor(async () => {
      const { body } = await chat.as(me, 'GET', '/rooms', undefined, broken)
      return body.items?.length === 2
    })
  })
})

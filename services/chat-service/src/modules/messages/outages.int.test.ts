import { messageSent } from '@bigtech/contracts'
import { createFaultProxy, type FaultProxy, waitFor } from '@bigtech/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startTestRooms, type TestRooms, upTo } from '../../../testing/rooms.ts'
import { openTestStream, type TestStream } from '../../../testing/stream.ts'

let rooms: TestRooms
let mongo: FaultProxy
let redis: FaultProxy
/** Index of the process behind the proxies. */
const BEHIND = 2
const opened: TestStream[] = []

const proxyFor = (url: string) => {
  const { hostname, port } = new URL(url)
  return createFaultProxy({ host: hostname, port: Number(port) })
}
const through = (url: string, { host, port }: FaultProxy) => {
  const proxied = new URL(url)
  proxied.host = `${host}:${port}`
  return proxied.toString()
}

beforeAll(async () => {
  rooms = await startTestRooms()
  const { config } = rooms.chat
  mongo = await proxyFor(config.MONGO_URL)
  redis = await proxyFor(config.REDIS_URL)
  await rooms.chat.another({
    MONGO_URL: through(config.MONGO_URL, mongo),
    REDIS_URL: through(config.REDIS_URL, redis),
  })
  await rooms.chat.untilReady()
}, 60_000)
afterAll(async () => {
  await rooms?.close()
  await mongo?.close()
  await redis?.close()
})
afterEach(async () => {
  for (const stream of opened.splice(0)) stream.kill()
  await mongo.restore()
  await redis.restore()
})

async function open(userId: number): Promise<TestStream> {
  const address = rooms.chat.services[BEHIND]!.app.listeningOrigin
  const stream = await openTestStream(address, { token: await rooms.chat.token(userId) })
  opened.push(stream)
  await stream.waitFor('reset')
  return stream
}

const seqsOf = (stream: TestStream) =>
  stream.frames.flatMap((each) => (each.event === 'message' ? [each.data.seq] : []))

describe('MongoDB', () => {
  it.each(['stops', 'hangs'] as const)(
    'when MongoDB %s, sends get 503 within 2 s, and streams stay open and miss nothing',
    async (how) => {
      const [a, b] = await rooms.chat.people(2)
      const roomId = await rooms.room(a, b)
      const stream = await open(b)
      await rooms.send(a, roomId, 'before', BEHIND)
      await stream.waitFor('message')
      if (how === 'stops') await mongo.cut()
      else mongo.freeze()
      const startedAt = performance.now()
      const answers = await Promise.all([
        rooms.as(a, 'POST', `/messages/${roomId}`, { content: 'lost' }, BEHIND),
        rooms.as(a, 'GET', `/messages/${roomId}`, undefined, BEHIND),
        rooms.as(
          a,
          'PUT',
          `/messages/${roomId}/${roomId}:000000000001/reactions/%F0%9F%91%8D`,
          undefined,
          BEHIND,
        ),
        rooms.as(a, 'PUT', `/rooms/${roomId}/read`, { seq: 1 }, BEHIND),
      ])
      expect(performance.now() - startedAt).toBeLessThan(2_100)
      for (const { status, body, headers } of answers) {
        expect({ status, code: body.code }).toEqual({ status: 503, code: 'UNAVAILABLE' })
        expect(Number(headers['retry-after'])).toBeGreaterThan(0)
      }
      for (const n of upTo(5)) await rooms.send(a, roomId, `meanwhile ${n}`, n % 2)
      expect(stream.ended).toBe(false)
      await mongo.restore()
      const { seq } = await waitFor(
        async () => {
          const answer = await rooms.as(a, 'POST', `/messages/${roomId}`, { content: 'after' }, BEHIND)
          return answer.status === 201 && answer.body
        },
        { timeoutMs: 20_000 },
      )
      await stream.waitFor('message', (each) => each.seq === seq, 15_000)
      expect(seqsOf(stream)).toEqual(upTo(seq))
    },
    60_000,
  )
})

describe('Redis', () => {
  it.each([
    ['stops', 3_000],
    ['hangs', 6_000],
  ] as const)(
    'when Redis %s, streams read lost updates from the database',
    async (how, withinMs) => {
      const [a, b] = await rooms.chat.people(2)
      const roomId = await rooms.room(a, b)
      const stream = await open(b)
      await rooms.send(a, roomId, 'before')
      await stream.waitFor('message')
      if (how === 'stops') await redis.cut()
      else redis.freeze()
      for (const n of upTo(5)) await rooms.send(a, roomId, `${n}`, n % 2)
      const message = (await rooms.as(a, 'GET', `/messages/${roomId}`)).body.items[0]
      await rooms.as(a, 'PATCH', `/messages/${roomId}/${message.message_id}`, { content: 'edited' })
      await stream.waitFor('message', ({ seq }) => seq === 6, withinMs)
      await stream.waitFor('message_updated', ({ cseq }) => cseq === 1, withinMs)
      expect(seqsOf(stream)).toEqual(upTo(6))
      expect((await rooms.send(a, roomId, 'sent here', BEHIND)).seq).toBe(7)
      const ticket = await rooms.as(a, 'POST', '/stream/tickets', {}, BEHIND)
      expect(ticket).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } })
      await redis.restore()
      await waitFor(async () => (await rooms.as(a, 'POST', '/stream/tickets', {}, BEHIND)).status === 201)
    },
    40_000,
  )

  it('open streams receive every message after Redis is flushed', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const stream = await open(b)
    for (const n of upTo(10)) {
      if (n === 5) {
        await redis.cut()
        await redis.restore()
      }
      await rooms.send(a, roomId, `${n}`)
    }
    await stream.waitFor('message', ({ seq }) => seq === 10)
    expect(seqsOf(stream)).toEqual(upTo(10))
  }, 30_000)
})

it('during a Kafka outage sends get 201, and their events are published afterwards', async () => {
  const [a] = await rooms.chat.people(1)
  const roomId = await rooms.room(a)
  // Runs alone without a broker until the other processes take over the relay.
  const before = rooms.chat.services.length
  const cut = await rooms.chat.another({ KAFKA_BROKERS: ['127.0.0.1:1'] })
  for (const n of upTo(20)) {
    const answer = await rooms.chat.as(a, 'POST', `/messages/${roomId}`, { content: `event ${n}` }, cut)
    expect(answer.status).toBe(201)
  }
  expect(rooms.chat.services).toHaveLength(before + 1)
  await rooms.chat.eventOf(messageSent, ({ room_id, seq }) => room_id === roomId && seq === 20)
}, 30_000)

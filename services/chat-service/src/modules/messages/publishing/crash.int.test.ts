import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import {
  collectEvents,
  createTestIssuer,
  createTestKafka,
  createTestMongo,
  createTestMysql,
  createTestRedis,
  startHttpServer,
  type TestHttpServer,
  type TestIssuer,
  type TestKafka,
  type TestMongo,
  type TestMysql,
  type TestRedis,
  waitFor,
} from '@bigtech/testkit'
import mongoose, { type Connection } from 'mongoose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { migrationsDir } from '../../../../testing/chat.ts'
import { untilPublished, upTo } from '../../../../testing/rooms.ts'
import { openTestStream } from '../../../../testing/stream.ts'
import { checkPublished } from './published-check.repository.ts'

const server = fileURLToPath(new URL('../../../server.ts', import.meta.url))
const USERS = [1, 2, 3]
const ROOMS = [1, 2]

let mysql: TestMysql
let mongo: TestMongo
let redis: TestRedis
let kafka: TestKafka
let issuer: TestIssuer
let jwks: TestHttpServer
let connection: Connection
const children = new Set<ChildProcess>()

interface Running {
  readonly address: string
  kill(signal: NodeJS.Signals): Promise<void>
}

beforeAll(async () => {
  ;[mysql, redis, kafka, issuer] = await Promise.all([
    createTestMysql({ migrationsDir }),
    createTestRedis(),
    createTestKafka(),
    createTestIssuer(),
  ])
  mongo = createTestMongo()
  connection = await mongoose.createConnection(mongo.url).asPromise()
  jwks = await startHttpServer((_request, response) => response.end(JSON.stringify(issuer.jwks)))
  for (const id of ROOMS) {
    await mysql.query(
      `INSERT INTO rooms (id, room_type, name, created_by, member_count, last_activity_at, created_at)
       VALUES (?, 'group', 'crash', 1, 3, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
      [id],
    )
    for (const userId of USERS) {
      await mysql.query(
        `INSERT INTO room_members (room_id, user_id, role, joined_at) VALUES (?, ?, 'member', UTC_TIMESTAMP(3))`,
        [id, userId],
      )
    }
  }
}, 60_000)

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await jwks?.close()
  await connection?.close()
  await Promise.all([mysql?.drop(), mongo?.drop(), redis?.release(), kafka?.remove()])
})

/** Starts chat-service in a separate process. */
async function start(overrides: Record<string, string> = {}): Promise<Running> {
  const child = spawn(process.execPath, [server], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      NODE_ENV: 'test',
      LOG_LEVEL: 'info',
      PORT: '0',
      DATABASE_URL: mysql.url,
      MONGO_URL: mongo.url,
      REDIS_URL: redis.url,
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
      JWKS_URL: `${jwks.url}/`,
      SENDS_PER_10_SECONDS: '100000',
      ...overrides,
    },
  })
  children.add(child)
  let output = ''
  child.stdout!.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-20_000)
  })
  const address = await waitFor(() => /(http:\/\/127\.0\.0\.1:\d+)"/.exec(output)?.[1], {
    timeoutMs: 30_000,
    what: 'the process to listen',
  })
  return {
    address,
    kill: async (signal) => {
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill(signal)
      await exited
      children.delete(child)
    },
  }
}

const tokens = new Map<number, Promise<string>>()
const tokenOf = (userId: number) => {
  const token = tokens.get(userId) ?? issuer.token({ userId })
  tokens.set(userId, token)
  return token
}

async function request(address: string, userId: number, method: string, path: string, body?: object) {
  const response = await fetch(address + path, {
    method,
    headers: { authorization: `Bearer ${await tokenOf(userId)}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: response.status, body: JSON.parse(await response.text()) }
}

interface Wish {
  readonly roomId: number
  readonly userId: number
  readonly id: string
}

/** Sends until the process dies; unacknowledged messages are retried later with the same id. */
async function sendUntilDeath(
  address: string,
  open: Wish[],
  acknowledged: Map<string, { roomId: number; seq: number }>,
  next: () => Wish,
): Promise<void> {
  for (;;) {
    const wish = open.pop() ?? next()
    try {
      const body = { content: `글 ${wish.id}`, client_message_id: wish.id }
      const answer = await request(address, wish.userId, 'POST', `/messages/${wish.roomId}`, body)
      if (answer.status === 201) acknowledged.set(wish.id, { roomId: wish.roomId, seq: answer.body.seq })
      else open.push(wish)
    } catch {
      open.push(wish)
      return
    }
  }
}

it('after kill -9 at any moment every acknowledged message is stored once and every stored message is published in order', async () => {
  const acknowledged = new Map<string, { roomId: number; seq: number }>()
  const open: Wish[] = []
  let wishes = 0
  const next = (): Wish => {
    const n = ++wishes
    return { roomId: ROOMS[n % 2]!, userId: USERS[n % 3]!, id: `w-${n}` }
  }
  // The second run has no broker: all its messages die between insert and publication.
  for (const [life, overrides] of [{}, { KAFKA_BROKERS: '127.0.0.1:1' }, {}, {}].entries()) {
    const running = await start(overrides)
    const sending = Promise.all(upTo(8).map(() => sendUntilDeath(running.address, open, acknowledged, next)))
    const enough = acknowledged.size + 40 + life * 50
    await waitFor(() => acknowledged.size >= enough, { timeoutMs: 20_000, intervalMs: 1 })
    await running.kill('SIGKILL')
    await sending
    const behind = await checkPublished(connection.db!, { fix: false })
    if ('KAFKA_BROKERS' in overrides) expect(behind).not.toEqual([])
  }
  const survivor = await start()
  try {
    await untilPublished(connection.db!)
    const collector = await collectEvents({ ...kafka, topics: ['message.events'] })
    const events = collector.events as unknown as {
      event_id: string
      room_id: number
      seq: number
      content: string
    }[]
    await collector.stop()
    for (const roomId of ROOMS) {
      const stored = await connection
        .db!.collection('messages')
        .find({ room_id: roomId })
        .sort({ _id: 1 })
        .toArray()
      expect(stored.map(({ _id }) => Number(String(_id).split(':')[1]))).toEqual(upTo(stored.length))
      const ids = stored.map(({ client_message_id }) => client_message_id)
      expect(new Set(ids).size).toBe(ids.length)
      for (const [id, { seq }] of [...acknowledged].filter(([, each]) => each.roomId === roomId)) {
        expect(ids[seq - 1]).toBe(id)
      }
      const seen = new Set<string>()
      const first = events.filter(({ room_id, event_id }) => {
        if (room_id !== roomId || seen.has(event_id)) return false
        seen.add(event_id)
        return true
      })
      expect(first.map(({ event_id, seq, content }) => ({ event_id, seq, content }))).toEqual(
        stored.map(({ event_id, content }, index) => ({ event_id, seq: index + 1, content })),
      )
    }
    expect(acknowledged.size).toBeGreaterThan(100)
  } finally {
    await survivor.kill('SIGTERM')
  }
}, 120_000)

it('after kill -9 between a change and its message the change is still applied, shown and published', async () => {
  const running = await start()
  try {
    const { body: message } = await request(running.address, 1, 'POST', '/messages/1', { content: 'before' })
    const stream = await openTestStream(running.address, { token: await tokenOf(2) })
    await stream.waitFor('reset')
    // The state left by a process that dies right after the insert into the log.
    const at = new Date()
    const head = await connection.db!.collection('room_changes').countDocuments({ room_id: 1 })
    await connection.db!.collection<{ _id: string }>('room_changes').insertOne({
      _id: `1:${String(head + 1).padStart(12, '0')}`,
      room_id: 1,
      created_at: at,
      event_id: crypto.randomUUID(),
      message_id: message.message_id,
      cseq: head + 1,
      user_id: 1,
      kind: 'edited',
      content: 'after the crash',
      mentions: [],
      rev: 1,
      correlation_id: 'crash',
    } as { _id: string })
    const updated = await stream.waitFor('message_updated', ({ cseq }) => cseq === head + 1, 10_000)
    expect(updated.message).toMatchObject({ content: 'after the crash', rev: 1 })
    await waitFor(async () => {
      const { body } = await request(running.address, 3, 'GET', `/messages/1/${message.message_id}`)
      return body.content === 'after the crash'
    })
    stream.kill()
  } finally {
    await running.kill('SIGTERM')
  }
}, 60_000)

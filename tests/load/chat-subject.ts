import { join } from 'node:path'
import {
  createTestIssuer,
  createTestKafka,
  createTestMongo,
  createTestMysql,
  createTestRedis,
  startHttpServer,
  startServiceProcess,
  waitFor,
} from '@bigtech/testkit'
import { nodeOptionsOf } from './measure-reads.ts'

const chatFolder = join(import.meta.dirname, '..', '..', 'services', 'chat-service')
const MEMBERS_AN_INSERT = 500

export interface ChatSubject {
  /** The URL of each process. */
  readonly urls: readonly string[]
  readonly url: string
  /** The first process. */
  readonly pid: number
  readonly mongoUrl: string
  /** What other services of the system share with it. */
  readonly shared: Readonly<Record<'KAFKA_BROKERS' | 'KAFKA_TOPIC_PREFIX' | 'JWKS_URL' | 'REDIS_URL', string>>
  token(userId: number): Promise<string>
  /** Creates a group with this many users, starting at this id. */
  room(roomId: number, members: number, firstUser?: number): Promise<void>
  /** Returns the CPU seconds used by the processes so far. */
  cpuSeconds(): Promise<number>
  stop(): Promise<void>
}

export interface ChatSubjectOptions {
  /** Fills the stores. Runs before the service starts. */
  beforeStart?(stores: { mongoUrl: string }): Promise<void>
  /** Number of processes on the same stores; default 1. */
  readonly processes?: number
  /** Further variables of the processes. */
  readonly env?: Readonly<Record<string, string>>
}

/** Starts processes of chat-service, one by default, on stores of its own, without rate limits for sends. */
export async function startChatSubject(options: ChatSubjectOptions = {}): Promise<ChatSubject> {
  const [mysql, redis, kafka, issuer] = await Promise.all([
    createTestMysql({ migrationsDir: join(chatFolder, 'migrations') }),
    createTestRedis(),
    createTestKafka({ partitions: 1 }),
    createTestIssuer(),
  ])
  const mongo = createTestMongo()
  const keys = await startHttpServer((_request, response) => response.end(JSON.stringify(issuer.jwks)))
  await options.beforeStart?.({ mongoUrl: mongo.url })
  const shared = {
    REDIS_URL: redis.url,
    KAFKA_BROKERS: kafka.brokers.join(','),
    KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
    JWKS_URL: `${keys.url}/`,
  }
  const started = {
    folder: chatFolder,
    nodeOptions: nodeOptionsOf('chat-service'),
    env: {
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
      DATABASE_URL: mysql.url,
      MONGO_URL: mongo.url,
      ...shared,
      SENDS_PER_10_SECONDS: '10000000',
      ...options.env,
    },
  }
  const services = await Promise.all(
    Array.from({ length: options.processes ?? 1 }, () => startServiceProcess(started)),
  )
  await Promise.all(services.map(({ url }) => waitFor(async () => (await fetch(`${url}/ready`)).ok)))
  return {
    urls: services.map(({ url }) => url),
    url: services[0]!.url,
    pid: services[0]!.pid,
    mongoUrl: mongo.url,
    shared,
    token: (userId) => issuer.token({ userId, expiresInSeconds: 3_600 }),
    room: async (roomId, members, firstUser = 1) => {
      await mysql.query(
        `INSERT INTO rooms (id, room_type, name, created_by, member_count, last_activity_at, created_at)
         VALUES (?, 'group', 'load', 1, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
        [roomId, members],
      )
      const userIds = Array.from({ length: members }, (_, index) => firstUser + index)
      for (let start = 0; start < members; start += MEMBERS_AN_INSERT) {
        const some = userIds.slice(start, start + MEMBERS_AN_INSERT)
        const rows = some.map(() => "(?, ?, 'member', UTC_TIMESTAMP(3))").join(', ')
        await mysql.query(
          `INSERT INTO room_members (room_id, user_id, role, joined_at) VALUES ${rows}`,
          some.flatMap((userId) => [roomId, userId]),
        )
      }
    },
    cpuSeconds: async () => {
      const texts = await Promise.all(services.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()))
      return texts
        .map((text) => Number(/^process_cpu_seconds_total\S* (\S+)/m.exec(text)?.[1]))
        .reduce((sum, seconds) => sum + seconds, 0)
    },
    stop: async () => {
      await Promise.all(services.map((service) => service.stop()))
      await keys.close()
      await Promise.all([mysql.drop(), mongo.drop(), redis.release(), kafka.remove()])
    },
  }
}

import { fileURLToPath } from 'node:url'
import { allEvents, type EventBase, type EventDefinition, type Topic } from '@bigtech/contracts'
import { createKafka, createPublisher, eventRecord } from '@bigtech/kafka'
import { loadConfig } from '@bigtech/service-kit'
import {
  collectEvents,
  createTestIssuer,
  createTestKafka,
  createTestMongo,
  createTestMysql,
  createTestRedis,
  type TestMysql,
  waitFor,
} from '@bigtech/testkit'
import { buildChatService } from '../src/app.ts'
import { type ChatConfig, configSchema } from '../src/config.ts'

export const migrationsDir = fileURLToPath(new URL('../migrations', import.meta.url))
export const schemaPath = fileURLToPath(new URL('../prisma/schema.prisma', import.meta.url))

type Ids<Count extends number, Rest extends number[] = []> = number extends Count
  ? number[]
  : Rest['length'] extends Count
    ? Rest
    : Ids<Count, [number, ...Rest]>

type Built = Awaited<ReturnType<typeof buildChatService>>

export interface Answer {
  readonly status: number
  readonly body: ReturnType<typeof JSON.parse>
  readonly headers: Record<string, unknown>
}

export interface TestChat {
  readonly mysql: TestMysql
  readonly config: ChatConfig
  /** The processes of the service; `as` calls `services[0]`. */
  readonly services: readonly Built[]
  /** Starts one more process on the same stores. */
  another(overrides?: Partial<ChatConfig>): Promise<Built>
  /** Waits until every process receives all events, as the gateway does before it sends requests. */
  untilReady(): Promise<void>
  /** Sends a request as a user; null is anonymous. */
  as(userId: number | null, method: string, url: string, body?: unknown, process?: Built): Promise<Answer>
  token(userId: number): Promise<string>
  /** Returns ids that no other test uses. */
  people<Count extends number>(count: Count): Promise<Ids<Count>>
  /** Makes the first user a friend of the others, in the copies used by rooms. */
  befriend(userId: number, ...friendIds: number[]): Promise<void>
  block(blockerId: number, blockedId: number): Promise<void>
  name(userId: number, username: string, displayName: string): Promise<void>
  /** Returns the first matching event in Kafka, including earlier ones. */
  eventOf<Payload extends object>(
    definition: EventDefinition<string, Payload>,
    matches: (payload: Payload) => boolean,
  ): Promise<EventBase & Payload>
  /** Publishes all records of these topics again. Returns their number. */
  replay(topics: readonly Topic[]): Promise<number>
  /** Publishes an event on behalf of another service. */
  publish<Payload extends object>(
    definition: EventDefinition<string, Payload>,
    payload: Payload,
    timestamp?: Date,
  ): Promise<void>
  close(): Promise<void>
}

type EventFixtures = Pick<TestChat, 'publish' | 'eventOf' | 'replay' | 'close'>

/** Starts chat-service on stores of its own. */
export async function startTestChat(overrides: Partial<ChatConfig> = {}): Promise<TestChat> {
  const [mysql, redis, kafkaTopics, issuer] = await Promise.all([
    createTestMysql({ migrationsDir }),
    createTestRedis(),
    createTestKafka(),
    createTestIssuer(),
  ])
  const mongo = createTestMongo()
  const config: ChatConfig = {
    ...loadConfig(configSchema, {
      PORT: '0',
      NODE_ENV: 'test',
      LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
      DATABASE_URL: mysql.url,
      MONGO_URL: mongo.url,
      REDIS_URL: redis.url,
      KAFKA_BROKERS: kafkaTopics.brokers.join(','),
      KAFKA_TOPIC_PREFIX: kafkaTopics.topicPrefix,
    }),
    ...overrides,
  }
  const services: Built[] = []
  const another = async (more: Partial<ChatConfig> = {}) => {
    const service = await buildChatService({ ...config, ...more }, { keys: issuer.keys })
    await service.start()
    services.push(service)
    return service
  }
  const first = await another()
  const events = eventFixtures(config, first.log)
  const tokens = new Map<number, Promise<string>>()
  const token = (userId: number) => {
    const known = tokens.get(userId) ?? issuer.token({ userId })
    tokens.set(userId, known)
    return known
  }
  return {
    mysql,
    config,
    services,
    ...contactFixtures(mysql),
    publish: events.publish,
    eventOf: events.eventOf,
    replay: events.replay,
    another,
    untilReady: async () => {
      for (const { app } of services)
        await waitFor(async () => (await app.inject('/ready')).statusCode === 200, { timeoutMs: 30_000 })
    },
    token,
    as: async (userId, method, url, body, service = first) => {
      const answer = await service.app.inject({
        method: method as 'GET',
        url,
        headers: userId === null ? {} : { authorization: `Bearer ${await token(userId)}` },
        ...(body === undefined ? {} : { payload: body as object }),
      })
      const isJson = String(answer.headers['content-type'] ?? '').includes('json')
      return {
        status: answer.statusCode,
        body: isJson ? answer.json() : answer.body,
        headers: answer.headers,
      }
    },
    close: async () => {
      await Promise.all(services.map((service) => service.stop()))
      await events.close()
      await Promise.all([mysql.drop(), mongo.drop(), redis.release(), kafkaTopics.remove()])
    },
  }
}

/** Inserts users and their relations into the copies used by rooms. */
function contactFixtures(mysql: TestMysql): Pick<TestChat, 'people' | 'befriend' | 'block' | 'name'> {
  let lastPerson = 1_000
  return {
    people: async (count) => Array.from({ length: count }, () => ++lastPerson) as never,
    befriend: async (userId, ...friendIds) => {
      for (const friendId of friendIds) {
        const pair = [Math.min(userId, friendId), Math.max(userId, friendId)]
        await mysql.query(
          `INSERT INTO contact_pairs (low, high, friends) VALUES (?, ?, 1)
           ON DUPLICATE KEY UPDATE friends = 1`,
          pair,
        )
      }
    },
    block: async (blockerId, blockedId) => {
      const pair = [Math.min(blockerId, blockedId), Math.max(blockerId, blockedId)]
      const column = blockerId < blockedId ? 'low_blocks_high' : 'high_blocks_low'
      await mysql.query(
        `INSERT INTO contact_pairs (low, high, ${column}) VALUES (?, ?, 1)
         ON DUPLICATE KEY UPDATE friends = 0, ${column} = 1`,
        pair,
      )
    },
    name: async (userId, username, displayName) => {
      await mysql.query(`INSERT INTO contact_users (user_id, username, display_name) VALUES (?, ?, ?)`, [
        userId,
        username,
        displayName,
      ])
    },
  }
}

/** Publishes events of other services, and reads those of this service. */
function eventFixtures(config: ChatConfig, log: Built['log']): EventFixtures {
  const { KAFKA_BROKERS: brokers, KAFKA_TOPIC_PREFIX: topicPrefix } = config
  const kafka = createKafka({ clientId: 'test', brokers, topicPrefix, log })
  const publisher = createPublisher({ kafka })
  const collect = (topics: readonly Topic[]) => collectEvents({ brokers, topicPrefix, topics })
  return {
    eventOf: async (definition, matches) => {
      const collector = await collect([definition.topic])
      try {
        return (await collector.waitFor(definition as EventDefinition, (event) =>
          matches(event as never),
        )) as never
      } finally {
        await collector.stop()
      }
    },
    replay: async (topics) => {
      const collector = await collect(topics)
      const definitions = new Map(allEvents.map((definition) => [definition.type, definition]))
      const events = [...collector.events]
      await publisher.publish(
        events.map((event) => eventRecord(definitions.get(event.event_type)!, event, 'test')),
      )
      await collector.stop()
      return events.length
    },
    publish: (definition, payload, timestamp = new Date()) =>
      publisher.publish([
        eventRecord(definition, definition.create(payload, { correlationId: 'test', timestamp }), 'test'),
      ]),
    close: async () => {
      await publisher.stop()
      await kafka.close()
    },
  }
}

import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EventDefinition, type TokenPair, type Topic, uuidv7 } from '@bigtech/contracts'
import { createKafka, createPublisher } from '@bigtech/kafka'
import { createLogger, loadConfig, type Service } from '@bigtech/service-kit'
import {
  collectEvents,
  createTestKafka,
  createTestMysql,
  createTestRedis,
  type EventCollector,
  uniqueName,
} from '@bigtech/testkit'
import { buildUserService, type UserServiceOptions } from '../src/app.ts'
import { configSchema } from '../src/config.ts'

export const PASSWORD = 'Test1234!@'
/** Public URL of the web client. */
export const ORIGIN = 'http://localhost:8000'

interface Call {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
  /** The caller's IP address. */
  readonly ip?: string
}

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests inspect arbitrary responses
  readonly body: any
  readonly headers: Record<string, string | string[] | number | undefined>
  readonly text: string
}

export interface Person {
  readonly userId: number
  readonly email: string
  readonly username: string
  readonly token: string
  readonly tokens: TokenPair
}

/** Creates the stores of one test file, and user-services on them. */
export async function testWorld(options: { kafkaPartitions?: number } = {}) {
  const mysql = await createTestMysql({ migrationsDir: join(import.meta.dirname, '..', 'migrations') })
  const redis = await createTestRedis()
  const kafka = await createTestKafka({ partitions: options.kafkaPartitions ?? 3 })
  const folder = mkdtempSync(join(tmpdir(), 'user-service-'))
  const keyFile = join(folder, 'key.pem')
  writeFileSync(keyFile, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const services: Service[] = []
  const neighbourLog = createLogger({ service: 'neighbour', level: 'silent' })
  const neighbour = createKafka({ clientId: 'neighbour', ...kafka, log: neighbourLog })
  const publisher = createPublisher({ kafka: neighbour })
  const collectors: EventCollector[] = []

  /** Builds a process of user-service; `started` makes it consume and publish. */
  async function build(
    env: Record<string, string> = {},
    serviceOptions: UserServiceOptions & { started?: boolean } = {},
  ): Promise<TestService> {
    const { started = true, ...rest } = serviceOptions
    const config = loadConfig(configSchema, {
      NODE_ENV: 'test',
      LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
      PORT: '0',
      DATABASE_URL: mysql.url,
      REDIS_URL: redis.url,
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
      JWT_PRIVATE_KEY_FILE: keyFile,
      TOTP_KEYS: 'a-key-of-tests-alone',
      PUBLIC_URL: ORIGIN,
      DELETION_GRACE_DAYS: '0',
      FRIEND_SERVICE_URL: 'http://127.0.0.1:9',
      CHAT_SERVICE_URL: 'http://127.0.0.1:9',
      NOTIFICATION_SERVICE_URL: 'http://127.0.0.1:9',
      MEDIA_SERVICE_URL: 'http://127.0.0.1:9',
      BCRYPT_COST: '4',
      BCRYPT_QUEUE: '200',
      ...env,
    })
    const service = await buildUserService(config, rest)
    services.push(service)
    if (started) await service.start()
    else await service.app.ready()
    return new TestService(service)
  }

  return {
    mysql,
    redis,
    kafka,
    keyFile,
    build,
    /** Publishes an event of another service. */
    publish: <Payload extends object>(
      definition: EventDefinition<string, Payload>,
      payload: Payload,
      meta: { timestamp?: Date; eventId?: string } = {},
    ) => publisher.publishEvent(definition, payload, { correlationId: uuidv7(), ...meta }),
    /** Collects the events of a topic until the world is closed. */
    events: async (topic: Topic = 'user.events'): Promise<EventCollector> => {
      const collector = await collectEvents({ ...kafka, topics: [topic] })
      collectors.push(collector)
      return collector
    },
    close: async () => {
      await Promise.all(collectors.map((collector) => collector.stop()))
      await Promise.all(services.map((service) => service.stop()))
      await publisher.stop()
      await neighbour.close()
      await Promise.all([mysql.drop(), redis.release(), kafka.remove()])
      rmSync(folder, { recursive: true })
    },
  }
}

export type TestWorld = Awaited<ReturnType<typeof testWorld>>

/** A user-service called over HTTP. */
export class TestService {
  readonly service: Service

  constructor(service: Service) {
    this.service = service
  }

  async call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, call: Call = {}): Promise<Answer> {
    const { token, body, headers = {}, ip } = call
    const answer = await this.service.app.inject({
      method,
      url,
      headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
      ...(body === undefined ? {} : { payload: body as object }),
      ...(ip ? { remoteAddress: ip } : {}),
    })
    const isJson = String(answer.headers['content-type']).includes('json')
    return {
      status: answer.statusCode,
      body: isJson && answer.body ? answer.json() : undefined,
      headers: answer.headers,
      text: answer.body,
    }
  }

  /** Starts listening and returns the address, for streamed responses. */
  async listen(): Promise<string> {
    const { server } = this.service.app
    if (!server.listening) await this.service.app.listen({ host: '127.0.0.1', port: 0 })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  register(fields: Record<string, unknown> = {}, call: Call = {}): Promise<Answer> {
    const name = uniqueName('u')
    const body = { email: `${name}@example.com`, username: name, password: PASSWORD, ...fields }
    return this.call('POST', '/auth/register', { ...call, body })
  }

  login(email: string, password = PASSWORD, call: Call & { deviceToken?: string } = {}): Promise<Answer> {
    const { deviceToken, ...rest } = call
    const body = { email, password, ...(deviceToken ? { device_token: deviceToken } : {}) }
    return this.call('POST', '/auth/login/json', { ...rest, body })
  }

  refresh(refreshToken: string): Promise<Answer> {
    return this.call('POST', '/auth/refresh', { body: { refresh_token: refreshToken } })
  }

  /** Registers and signs in a new user. */
  async person(fields: Record<string, unknown> = {}): Promise<Person> {
    const { body: account, status, text } = await this.register(fields)
    if (status !== 201) throw new Error(`not registered: ${text}`)
    const tokens: TokenPair = (await this.login(account.email)).body
    const { email, username } = account
    return { userId: account.id, email, username, token: tokens.access_token, tokens }
  }

  /** Returns the value of a metric; 0 when it has none yet. */
  async metric(pattern: RegExp): Promise<number> {
    const { text } = await this.call('GET', '/metrics')
    const line = text.split('\n').find((candidate) => pattern.test(candidate))
    return Number(line?.split(' ').at(-1) ?? 0)
  }
}

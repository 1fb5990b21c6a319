import { fileURLToPath } from 'node:url'
import type { EventDefinition } from '@bigtech/contracts'
import { createKafka, createPublisher } from '@bigtech/kafka'
import { createLogger, loadConfig } from '@bigtech/service-kit'
import {
  createTestIssuer,
  createTestKafka,
  createTestMysql,
  type TestIssuer,
  type TestKafka,
  type TestMysql,
  waitFor,
} from '@bigtech/testkit'
import { type BuildOptions, buildFriendService } from '../src/app.ts'
import { type Config, configSchema } from '../src/config.ts'
import { type FakeUserService, startFakeUserService } from './fake-user-service.ts'

export const migrationsDir = fileURLToPath(new URL('../migrations', import.meta.url))

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown> & {
    readonly items?: readonly Record<string, unknown>[]
    readonly code?: string
  }
  /** `Retry-After` in seconds. */
  readonly retryAfter: number | undefined
}

export interface Statement {
  readonly sql: string
  /** A JSON array. */
  readonly params: string
}

export interface Harness {
  readonly service: Awaited<ReturnType<typeof buildFriendService>>
  readonly mysql: TestMysql
  readonly kafka: TestKafka
  readonly userService: FakeUserService
  readonly issuer: TestIssuer
  readonly config: Config
  /** Every statement since the last reset. */
  readonly statements: Statement[]
  clock: number
  call(
    userId: number,
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    body?: unknown,
  ): Promise<Answer>
  /** Returns the outbox events of a pair in order, as `type` by user. */
  eventsOf(userA: number, userB: number): Promise<Record<string, unknown>[]>
  /** Publishes as the owner of the topic. The same `eventId` repeats the event. */
  publish<Payload extends object>(
    definition: EventDefinition<string, Payload>,
    payload: Payload,
    meta?: { readonly eventId?: string; readonly timestamp?: Date },
  ): Promise<void>
  stop(): Promise<void>
}

let lastUserId = 1_000

/** Returns ids that no other test uses. */
export function newUsers<const Count extends number>(count: Count): number[] {
  return Array.from({ length: count }, () => ++lastUserId)
}

/** Starts the real service on stores of its own, with a fake user-service. */
export async function startHarness(
  options: { listen?: boolean; env?: Record<string, string> } = {},
): Promise<Harness> {
  const [mysql, kafka, userService, issuer] = await Promise.all([
    createTestMysql({ migrationsDir }),
    createTestKafka(),
    startFakeUserService(),
    createTestIssuer(),
  ])
  const config = loadConfig(configSchema, {
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    PORT: '0',
    DATABASE_URL: mysql.url,
    KAFKA_BROKERS: kafka.brokers.join(','),
    KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
    USER_SERVICE_URL: userService.url,
    FRIEND_ACTIONS_PER_HOUR: '1000000',
    ...options.env,
  })
  const statements: Statement[] = []
  const clock = { ms: Date.now() }
  const buildOptions: BuildOptions = {
    keys: issuer.keys,
    now: () => clock.ms,
    onQuery: (sql, params) => void statements.push({ sql, params }),
  }
  const service = await buildFriendService(config, buildOptions)
  if (options.listen) {
    await service.start()
    await isReady(service)
  } else await service.app.ready()
  const neighbour = createKafka({
    clientId: 'neighbour',
    brokers: kafka.brokers,
    topicPrefix: kafka.topicPrefix,
    log: createLogger({ service: 'neighbour', level: 'silent' }),
  })
  const publisher = createPublisher({ kafka: neighbour })
  const tokens = new Map<number, Promise<string>>()
  const harness: Harness = {
    service,
    mysql,
    kafka,
    userService,
    issuer,
    config,
    statements,
    get clock() {
      return clock.ms
    },
    set clock(ms: number) {
      clock.ms = ms
    },
    call: async (userId, method, url, body) => {
      const token = tokens.get(userId) ?? issuer.token({ userId })
      tokens.set(userId, token)
      const answer = await service.app.inject({
        method,
        url,
        headers: { authorization: `Bearer ${await token}` },
        ...(body === undefined ? {} : { payload: body as object }),
      })
      const wait = answer.headers['retry-after']
      return {
        status: answer.statusCode,
        body: answer.body === '' ? {} : answer.json(),
        retryAfter: wait === undefined ? undefined : Number(wait),
      }
    },
    eventsOf: async (userA, userB) => {
      const key = userA < userB ? `${userA}:${userB}` : `${userB}:${userA}`
      const rows = await mysql.query<{ payload: string }>(
        'SELECT payload FROM outbox WHERE msg_key = ? ORDER BY id',
        [key],
      )
      return rows.map(({ payload }) => JSON.parse(payload) as Record<string, unknown>)
    },
    publish: (definition, payload, meta = {}) =>
      publisher.publishEvent(definition, payload, { correlationId: 'test-correlation', ...meta }),
    stop: async () => {
      await service.stop()
      await publisher.stop()
      await neighbour.close()
      await Promise.all([mysql.drop(), kafka.remove(), userService.close()])
    },
  }
  return harness
}

async function isReady(service: { app: { inject(url: string): Promise<{ statusCode: number }> } }) {
  await waitFor(async () => (await service.app.inject('/ready')).statusCode === 200, {
    what: 'the service to be ready',
  })
}

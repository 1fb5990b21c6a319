import { fileURLToPath } from 'node:url'
import type { EventDefinition } from '@bigtech/contracts'
import { createKafka, createPublisher, type KafkaConnection } from '@bigtech/kafka'
import { createLogger, loadConfig, type Service } from '@bigtech/service-kit'
import { createTestKafka, createTestMysql, type TestMysql, waitFor } from '@bigtech/testkit'
import { buildAnalyticsService } from '../src/app.ts'
import { configSchema } from '../src/config.ts'

export const migrationsDir = fileURLToPath(new URL('../migrations', import.meta.url))
const operatorToken = 'operator-token-of-the-tests'
/** The tests' events are from March 2026: by the real clock they could be old enough to be purged. */
const now = () => Date.parse('2026-03-31T12:00:00Z')

export interface Harness {
  readonly service: Service
  readonly mysql: TestMysql
  readonly kafka: KafkaConnection
  readonly env: Record<string, string>
  readonly brokers: readonly string[]
  readonly topicPrefix: string
  get(url: string, token?: string): Promise<{ status: number; body: Record<string, unknown> }>
  publish<Payload extends object>(
    definition: EventDefinition<string, Payload>,
    payload: Payload,
    meta?: { readonly eventId?: string; readonly timestamp?: Date },
  ): Promise<void>
  /** Returns all figures, for comparing two states. */
  figures(): Promise<unknown>
  stop(): Promise<void>
}

/** Starts the real service on stores of its own. */
export async function startHarness(): Promise<Harness> {
  const [mysql, testKafka] = await Promise.all([createTestMysql({ migrationsDir }), createTestKafka()])
  const env = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    PORT: '0',
    DATABASE_URL: mysql.url,
    KAFKA_BROKERS: testKafka.brokers.join(','),
    KAFKA_TOPIC_PREFIX: testKafka.topicPrefix,
    OPERATOR_TOKEN: operatorToken,
  }
  const service = await buildAnalyticsService(loadConfig(configSchema, env), { now })
  const kafka = createKafka({
    clientId: 'neighbour',
    brokers: testKafka.brokers,
    topicPrefix: testKafka.topicPrefix,
    log: createLogger({ service: 'neighbour', level: 'silent' }),
  })
  const publisher = createPublisher({ kafka })
  await service.start()
  await isReady(service)
  return {
    service,
    mysql,
    kafka,
    env,
    brokers: testKafka.brokers,
    topicPrefix: testKafka.topicPrefix,
    get: async (url, token = operatorToken) => {
      const answer = await service.app.inject({ url, headers: { authorization: `Bearer ${token}` } })
      return { status: answer.statusCode, body: answer.json() }
    },
    publish: (definition, payload, meta = {}) =>
      publisher.publishEvent(definition, payload, { correlationId: 'test-correlation', ...meta }),
    figures: async () => ({
      totals: await mysql.query('SELECT * FROM daily_totals ORDER BY day, metric'),
      active: await mysql.query('SELECT * FROM daily_active ORDER BY day, user_id'),
      requests: await mysql.query('SELECT * FROM friend_requests ORDER BY request_id'),
      rooms: await mysql.query('SELECT * FROM room_hours ORDER BY room_id, hour'),
    }),
    stop: async () => {
      await service.stop()
      await publisher.stop()
      await kafka.close()
      await Promise.all([mysql.drop(), testKafka.remove()])
    },
  }
}

async function isReady(service: { app: { inject(url: string): Promise<{ statusCode: number }> } }) {
  await waitFor(async () => (await service.app.inject('/ready')).statusCode === 200, {
    what: 'the service to be ready',
  })
}

import { fileURLToPath } from 'node:url'
import type { EventDefinition } from '@bigtech/contracts'
import { createKafka, createPublisher } from '@bigtech/kafka'
import { createLogger, loadConfig } from '@bigtech/service-kit'
import {
  createTestIssuer,
  createTestKafka,
  createTestMysql,
  type TestKafka,
  type TestMysql,
  waitFor,
} from '@bigtech/testkit'
import webPush from 'web-push'
import { buildNotificationService, type NotificationService } from '../src/app.ts'
import { configSchema } from '../src/config.ts'
import { type FakePushService, startFakePushService } from './fake-push-service.ts'
import { type MailCatcher, startMailCatcher } from './mail-catcher.ts'

export const migrationsDir = fileURLToPath(new URL('../migrations', import.meta.url))

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown> & { readonly items?: readonly Record<string, unknown>[] }
}

export interface Harness {
  readonly service: NotificationService
  readonly mysql: TestMysql
  readonly kafka: TestKafka
  readonly mail: MailCatcher
  readonly push: FakePushService
  /** Milliseconds added to the real time. */
  clockOffset: number
  call(
    userId: number,
    method: 'GET' | 'PUT' | 'DELETE',
    url: string,
    body?: unknown,
    sessionId?: string,
  ): Promise<Answer>
  publish<Payload extends object>(
    definition: EventDefinition<string, Payload>,
    payload: Payload,
    meta?: { readonly eventId?: string; readonly timestamp?: Date },
  ): Promise<void>
  /** Waits until a user's deliveries, newest first, match. */
  deliveriesOf(
    userId: number,
    wanted: (items: readonly Record<string, unknown>[]) => boolean,
  ): Promise<readonly Record<string, unknown>[]>
  /** Waits until the consumer has applied the event. */
  applied(eventId: string): Promise<void>
  stop(): Promise<void>
}

let lastId = 1_000

/** Returns ids of users or rooms that no other test uses. */
export function newIds(count: number): number[] {
  return Array.from({ length: count }, () => ++lastId)
}

/** Starts the real service on stores of its own, with fake mail and push services. */
export async function startHarness(env: Record<string, string> = {}): Promise<Harness> {
  const [mysql, kafka, mail, push, issuer] = await Promise.all([
    createTestMysql({ migrationsDir }),
    createTestKafka(),
    startMailCatcher(),
    startFakePushService(),
    createTestIssuer(),
  ])
  const clock = { offsetMs: 0 }
  const vapid = webPush.generateVAPIDKeys()
  const config = loadConfig(configSchema, {
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    PORT: '0',
    DATABASE_URL: mysql.url,
    KAFKA_BROKERS: kafka.brokers.join(','),
    KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
    SMTP_URL: mail.url,
    VAPID_PUBLIC_KEY: vapid.publicKey,
    VAPID_PRIVATE_KEY: vapid.privateKey,
    PUSH_DIGEST_MS: '400',
    ...env,
  })
  const service = await buildNotificationService(config, {
    keys: issuer.keys,
    now: () => Date.now() + clock.offsetMs,
  })
  const neighbour = createKafka({
    clientId: 'neighbour',
    brokers: kafka.brokers,
    topicPrefix: kafka.topicPrefix,
    log: createLogger({ service: 'neighbour', level: 'silent' }),
  })
  const publisher = createPublisher({ kafka: neighbour })
  const call: Harness['call'] = async (userId, method, url, body, sessionId) => {
    const token = await issuer.token({ userId, ...(sessionId ? { sessionId } : {}) })
    const answer = await service.app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { payload: body as object }),
    })
    return { status: answer.statusCode, body: answer.body === '' ? {} : answer.json() }
  }
  const harness: Harness = {
    service,
    mysql,
    kafka,
    mail,
    push,
    get clockOffset() {
      return clock.offsetMs
    },
    set clockOffset(offsetMs: number) {
      clock.offsetMs = offsetMs
      // The sender sleeps until a time of the previous clock.
      service.sender.wake(0)
    },
    call,
    publish: (definition, payload, meta = {}) =>
      publisher.publishEvent(definition, payload, { correlationId: 'test-correlation', ...meta }),
    deliveriesOf: (userId, wanted) =>
      waitFor(
        async () => {
          const { items = [] } = (await call(userId, 'GET', '/notifications/deliveries?limit=100')).body
          if (!wanted(items)) throw new Error(JSON.stringify(items))
          return items
        },
        { what: `the deliveries of user ${userId}` },
      ),
    applied: async (eventId) => {
      await waitFor(
        async () => (await mysql.query('SELECT 1 FROM inbox WHERE event_id = ?', [eventId])).length > 0,
      )
    },
    stop: async () => {
      await service.stop()
      await publisher.stop()
      await neighbour.close()
      await Promise.all([mysql.drop(), kafka.remove(), mail.close(), push.close()])
    },
  }
  await service.start()
  await isReady(service)
  return harness
}

async function isReady(service: { app: { inject(url: string): Promise<{ statusCode: number }> } }) {
  await waitFor(async () => (await service.app.inject('/ready')).statusCode === 200, {
    what: 'the service to be ready',
  })
}

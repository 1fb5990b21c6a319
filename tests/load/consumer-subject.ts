import { join } from 'node:path'
import { roomCreated } from '@bigtech/contracts'
import { createKafka, createPublisher } from '@bigtech/kafka'
import { createLogger } from '@bigtech/service-kit'
import { createTestMysql, startServiceProcess, type TestMysql, waitFor } from '@bigtech/testkit'
import type { ChatSubject } from './chat-subject.ts'

const services = join(import.meta.dirname, '..', '..', 'services')
const NAMES = ['notification-service', 'analytics-service'] as const
const CATCH_UP_MS = 120_000
/** Each count reads all rows of the inbox, and is part of what is measured. */
const COUNT_EVERY_MS = 500

export interface ConsumerSubject {
  readonly pids: Readonly<Record<(typeof NAMES)[number], number>>
  /** Announces rooms with these members, which nobody reads: every message is planned as a push to each. */
  announceRooms(roomIds: readonly number[], memberIds: readonly number[]): Promise<void>
  /** Resolves when both services have applied this many events in all. */
  applied(events: number): Promise<void>
  stop(): Promise<void>
}

/** Starts the services that consume every message, each on a database of its own. */
export async function startConsumers({ shared }: ChatSubject): Promise<ConsumerSubject> {
  const log = createLogger({ service: 'load', level: 'silent' })
  const kafka = createKafka({
    clientId: 'load',
    brokers: shared.KAFKA_BROKERS.split(','),
    topicPrefix: shared.KAFKA_TOPIC_PREFIX,
    log,
  })
  const publisher = createPublisher({ kafka })
  const databases: TestMysql[] = []
  const start = async (name: string) => {
    const folder = join(services, name)
    const mysql = await createTestMysql({ migrationsDir: join(folder, 'migrations') })
    databases.push(mysql)
    const env = { NODE_ENV: 'production', LOG_LEVEL: 'info', ...shared, DATABASE_URL: mysql.url }
    return startServiceProcess({ folder, env })
  }
  const [notification, analytics] = await Promise.all([start(NAMES[0]), start(NAMES[1])])
  const appliedIn = async (mysql: TestMysql) => {
    const [row] = await mysql.query<{ events: number }>('SELECT COUNT(*) AS events FROM inbox')
    return row!.events
  }
  const applied = async (events: number) => {
    await waitFor(
      async () => (await Promise.all(databases.map(appliedIn))).every((count) => count >= events),
      {
        timeoutMs: CATCH_UP_MS,
        intervalMs: COUNT_EVERY_MS,
        what: `both consumers to apply ${events} events`,
      },
    )
  }
  return {
    pids: { 'notification-service': notification.pid, 'analytics-service': analytics.pid },
    announceRooms: async (roomIds, memberIds) => {
      for (const room_id of roomIds) {
        const payload = {
          room_id,
          room_type: 'group' as const,
          name: 'load',
          created_by: memberIds[0]!,
          member_ids: [...memberIds],
        }
        await publisher.publishEvent(roomCreated, payload, { correlationId: 'load' })
      }
    },
    applied,
    stop: async () => {
      await Promise.all([notification.stop(), analytics.stop()])
      await publisher.stop()
      await kafka.close()
      await Promise.all(databases.map((mysql) => mysql.drop()))
    },
  }
}

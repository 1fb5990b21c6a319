import { createKafka, createMySqlOutboxRelay, createOutbox, createPublisher } from '@bigtech/kafka'
import { buildService, type Service, type ServiceOptions } from '@bigtech/service-kit'
import type { ChatConfig } from './config.ts'
import { openMongo } from './plugins/mongo.ts'
import { openMysql } from './plugins/mysql.ts'
import { RateLimiter } from './plugins/rate-limiter.ts'
import { openRedis } from './plugins/redis.ts'
import { StoreMetrics } from './plugins/store-metrics.ts'

export type ChatServiceOptions = Pick<ServiceOptions, 'keys' | 'logDestination'>

/** What runs beside the requests: consumers, relays. Starts with the service, stops in its order. */
export interface Worker {
  start(): void
  stop(): Promise<void> | void
}

/** The map of this service: stores, then modules, then what runs beside the requests. Never listens. */
export async function buildChatService(
  config: ChatConfig,
  options: ChatServiceOptions = {},
): Promise<Service> {
  const service = await buildService({
    name: 'chat-service',
    title: 'Chat Service',
    description: 'Rooms, messages, read state and the event stream.',
    config,
    ...options,
  })
  const { app, lifecycle, log, metrics } = service

  // Stores
  const storeMetrics = new StoreMetrics(metrics)
  const mysql = openMysql(service, config.DATABASE_URL, storeMetrics)
  const mongo = openMongo(service, config.MONGO_URL)
  const redis = openRedis(service, config.REDIS_URL)
  const limiter = new RateLimiter(redis, metrics)

  // Events
  const kafka = createKafka({
    clientId: 'chat-service',
    brokers: config.KAFKA_BROKERS,
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    log,
  })
  service.readiness.add({ name: 'kafka', ping: () => kafka.ping(), optional: true })
  const publisher = createPublisher({ kafka })
  const outbox = createOutbox('chat-service')
  const outboxRelay = createMySqlOutboxRelay({
    databaseUrl: config.DATABASE_URL,
    publisher,
    log,
    registry: metrics,
  })
  lifecycle.onStop('producers', 'kafka', () => kafka.close())
  lifecycle.onStop('producers', 'publisher', () => publisher.stop())

  // Modules: rooms and contacts

  // Modules: messages and stream

  const workers: Worker[] = [outboxRelay]
  void { app, mysql, mongo, limiter, outbox }

  for (const worker of workers) lifecycle.onStop('consumers', 'worker', () => worker.stop())
  return {
    ...service,
    start: async () => {
      for (const worker of workers) worker.start()
      return service.start()
    },
  }
}

import { createKafka, createPublisher } from '@bigtech/kafka'
import { createMySqlOutboxRelay, createOutbox } from '@bigtech/outbox'
import { buildService, type Service, type ServiceOptions, StoreMetrics } from '@bigtech/service-kit'
import type { ChatConfig } from './config.ts'
import { contactsGroup, deletionsGroup } from './modules/contacts/contacts.consumers.ts'
import { createContacts } from './modules/contacts/contacts.module.ts'
import { createMessages } from './modules/messages/messages.module.ts'
import { systemMessagesGroup } from './modules/rooms/rooms.consumers.ts'
import { createMembership, createRooms } from './modules/rooms/rooms.module.ts'
import { createStream } from './modules/stream/stream.module.ts'
import { consumerOf, inboxJanitor, liveConsumer, type Worker } from './plugins/consumers.ts'
import { openMongo } from './plugins/mongo.ts'
import { openMysql } from './plugins/mysql.ts'
import { createRateLimiter } from './plugins/rate-limiter.ts'
import { openRedis } from './plugins/redis.ts'

export type ChatServiceOptions = Pick<ServiceOptions, 'keys' | 'logDestination'>

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
  const { lifecycle, log, metrics } = service

  // Stores
  const storeMetrics = new StoreMetrics(metrics)
  const mysql = openMysql(service, config.DATABASE_URL)
  const mongo = openMongo(service, config.MONGO_URL)
  const redis = openRedis(service, config.REDIS_URL)
  const limiter = createRateLimiter(service, redis)

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

  // Modules
  const wakeRelay = () => outboxRelay.wake()
  const contacts = createContacts({ service, mysql, outbox, wakeRelay })
  const base = createMembership({ service, mysql, redis, outbox, wakeRelay, contacts })
  const messages = createMessages({
    service,
    mongo,
    storeMetrics,
    limiter,
    publisher,
    databaseUrl: config.DATABASE_URL,
    sendsPer10Seconds: config.SENDS_PER_10_SECONDS,
    members: base.membership,
    activity: base.activity,
    nameOf: (userId) => contacts.contacts.nameOf(userId),
  })
  const rooms = createRooms({ service, mysql, limiter, contacts, base, messages })
  const stream = createStream({
    service,
    redis,
    limiter,
    publisher,
    members: base.membership,
    messages: messages.forStreams,
    listVersions: contacts.listVersions,
    goneAfterMs: config.STREAM_GONE_AFTER_MS,
    friendIdsOf: (userId) => contacts.repository.friendIdsOf(userId),
  })

  // Beside the requests
  const consumers = { service, kafka, publisher }
  const workers: Worker[] = [
    outboxRelay,
    messages.relay,
    liveConsumer(consumers, 'chat-service.live', [...rooms.live, ...stream.live]),
    consumerOf(consumers, contactsGroup, rooms.contacts),
    consumerOf(consumers, deletionsGroup, rooms.deletions),
    consumerOf(consumers, systemMessagesGroup, rooms.systemMessages),
    inboxJanitor(service, mysql),
  ]
  for (const worker of workers) lifecycle.onStop('consumers', 'worker', () => worker.stop())
  return {
    ...service,
    start: async () => {
      for (const worker of workers) worker.start()
      stream.start()
      return service.start()
    },
  }
}

import {
  buildService,
  openMysql,
  openOutbox,
  openRateLimiter,
  openRedis,
  type Service,
  type ServiceOptions,
} from '@bigtech/service-kit'
import type { ChatConfig } from './config.ts'
import { openMediaService } from './infrastructure/media-service.ts'
import { openMongo } from './infrastructure/mongo.ts'
import { createMysql } from './infrastructure/mysql.ts'
import { ChatRedis } from './infrastructure/redis.ts'
import { createContacts } from './modules/contacts/contacts.module.ts'
import { createMembership } from './modules/membership/membership.module.ts'
import { createMessages } from './modules/messages/messages.module.ts'
import { createRooms } from './modules/rooms/rooms.module.ts'
import { createStream } from './modules/stream/stream.module.ts'

/** Every change wakes the relay: only events of a process that died right after its commit wait this long. */
const RELAY_REST_MS = 2_000

export type ChatServiceOptions = Pick<ServiceOptions, 'keys' | 'logDestination'>

/** Wires chat-service: stores, then modules. Nothing runs before `start()`. */
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

  // Optional once it has been up: a process with a warm cache can still accept sends, and removing every
  // process from the load balancer at once would turn a partial outage into a complete one.
  const mysql = openMysql(service, createMysql(config.DATABASE_URL, service.metrics), {
    optionalOnceUp: true,
  })
  const outbox = openOutbox(service, mysql, config.DATABASE_URL, { restMs: RELAY_REST_MS })
  const mongo = openMongo(service, config.MONGO_URL)
  const redisStore = await openRedis(service, config.REDIS_URL)
  const redis = new ChatRedis(service, redisStore.client)
  const limiter = openRateLimiter(service, redisStore, 'chat:limit:')

  const contacts = createContacts({ service, mysql, outbox })
  const membership = createMembership({
    service,
    mysql,
    redis,
    policy: contacts.contacts,
    muted: contacts.muted,
  })
  const media = openMediaService(service, config.MEDIA_SERVICE_URL)
  const messages = await createMessages({
    service,
    mongo,
    limiter,
    files: media,
    config,
    members: membership.membership,
    nameOf: (userId) => contacts.contacts.nameOf(userId),
    restrictions: (userId, peerId) => contacts.contacts.restrictions(userId, peerId),
  })
  createRooms({ service, mysql, limiter, outbox, contacts, membership, messages, pictures: media })
  createStream({
    service,
    redis,
    limiter,
    members: membership.membership,
    messages: messages.streamSource,
    listVersions: contacts.listVersions,
    goneAfterMs: config.STREAM_GONE_AFTER_MS,
    relations: contacts.contacts,
  })
  return service
}

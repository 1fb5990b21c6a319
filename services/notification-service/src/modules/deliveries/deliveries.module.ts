import { type Service, ServiceClient } from '@bigtech/service-kit'
import type { Config } from '../../config.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import { NotificationMetrics } from '../../metrics.ts'
import type { ContactsRepository } from '../contacts/contacts.repository.ts'
import type { PreferencesRepository } from '../preferences/preferences.repository.ts'
import type { RoomsRepository } from '../rooms/rooms.repository.ts'
import type { StreamsRepository } from '../streams/streams.repository.ts'
import type { SubscriptionsRepository } from '../subscriptions/subscriptions.repository.ts'
import { deliveriesConsumers } from './deliveries.consumers.ts'
import { DeliveriesRepository } from './deliveries.repository.ts'
import { deliveriesRoutes } from './deliveries.routes.ts'
import { DeliverySender } from './delivery-sender.ts'
import { MailChannel } from './mail-channel.ts'
import { MessagePlanner } from './message-planner.ts'
import { PushChannel } from './push-channel.ts'
import { WaitingMessagesRepository } from './waiting-messages.repository.ts'
import { WebPushClient } from './web-push-client.ts'

const RETRY_WAITING_MS = 1_000
const MEASURE_MS = 10_000
const PURGE_MS = 10 * 60_000

export interface DeliveriesOptions {
  readonly service: Service
  readonly config: Config
  readonly mysql: Mysql
  readonly contacts: ContactsRepository
  readonly rooms: RoomsRepository
  readonly streams: StreamsRepository
  readonly preferences: PreferencesRepository
  readonly subscriptions: SubscriptionsRepository
  readonly now: () => number
}

/** Wires deliveries: planned from events, sent by mail and push, listed for their receiver. */
export function createDeliveries(options: DeliveriesOptions) {
  const { service, config, mysql, contacts, rooms, streams, preferences, subscriptions, now } = options
  const { log, lifecycle } = service
  const metrics = new NotificationMetrics(service.metrics)
  const deliveries = new DeliveriesRepository(mysql)
  const waiting = new WaitingMessagesRepository(mysql)
  const digestMs = config.PUSH_DIGEST_MS
  const planner = new MessagePlanner({
    ...{ mysql, contacts, deliveries, waiting, preferences, digestMs, now },
    onPlanned: () => sender.wake(digestMs),
  })
  // user-service serves the key set, whose URL every service is configured with.
  const userServiceUrl = new URL(config.JWKS_URL).origin
  const userService = new ServiceClient({ service: 'user-service', baseUrl: userServiceUrl })
  lifecycle.onStop('stores', 'user-service client', () => userService.close())
  const mail = new MailChannel({
    smtpUrl: config.SMTP_URL,
    from: config.MAIL_FROM,
    publicUrl: config.PUBLIC_URL,
    ...{ contacts, userService },
  })
  const client = webPushClientOf(config)
  const push = new PushChannel({ contacts, preferences, rooms, streams, subscriptions, client, now })
  const sender = new DeliverySender({ deliveries, channels: { mail, push }, metrics, log, now })
  service.app.register(deliveriesRoutes, { deliveries })
  lifecycle.onStop('stores', 'smtp', () => mail.close())
  lifecycle.onStop('consumers', 'sender', () => sender.stop())
  service.every({
    name: 'retry waiting messages',
    everyMs: RETRY_WAITING_MS,
    run: async () => metrics.unroutable.inc(await planner.retryWaiting()),
  })
  service.every({
    name: 'measure backlog',
    everyMs: MEASURE_MS,
    run: async () => {
      metrics.pending.set(await deliveries.countOverdue(now()))
      metrics.waiting.set(await waiting.count())
    },
  })
  service.every({ name: 'purge deliveries', everyMs: PURGE_MS, run: () => deliveries.purge() })
  service.onStart(() => sender.start())
  const consumers = deliveriesConsumers({
    mysql,
    deliveries,
    waiting,
    planner,
    now,
    digestMs,
    onPlanned: (dueInMs) => sender.wake(dueInMs),
  })
  const welcome = { kind: 'welcome', channel: 'mail' } as const
  return {
    repository: deliveries,
    sender,
    consumers,
    /** Call after the transaction of `greet`. */
    onGreeted: () => sender.wake(0),
    /** Plans the welcome mail in the transaction that stores a new user. */
    greet: (tx: Tx, { userId, eventId }: { readonly userId: number; readonly eventId: string }) =>
      deliveries.create(tx, { ...welcome, userId, eventId, dueAt: new Date(now()) }),
    erase: async (tx: Tx, userId: number) => {
      await deliveries.erase(tx, userId)
      await waiting.erase(tx, userId)
    },
  }
}

/** Returns the push client; undefined without VAPID keys. */
function webPushClientOf(config: Config): WebPushClient | undefined {
  const { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey, VAPID_SUBJECT: subject } = config
  if (!publicKey || !privateKey) return undefined
  return new WebPushClient({
    vapid: { subject, publicKey, privateKey },
    allowAnyEndpoint: config.NODE_ENV !== 'production',
  })
}

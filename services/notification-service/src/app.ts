import { userSessionRevoked } from '@bigtech/contracts'
import {
  createBroadcastConsumer,
  createConsumerRunner,
  createKafka,
  createPublisher,
  type KafkaConnection,
  on,
  type Publisher,
} from '@bigtech/kafka'
import { purgeInbox } from '@bigtech/outbox'
import {
  buildService,
  type Chore,
  type Service,
  type ServiceOptions,
  startChores,
} from '@bigtech/service-kit'
import { classifyStoreError } from '@bigtech/stores'
import type { Config } from './config.ts'
import { NotificationMetrics } from './metrics.ts'
import { contactsConsumers } from './modules/contacts/contacts.consumers.ts'
import { ContactsRepository } from './modules/contacts/contacts.repository.ts'
import { erasureConsumers } from './modules/contacts/erasure.consumers.ts'
import { deliveriesConsumers } from './modules/deliveries/deliveries.consumers.ts'
import { DeliveriesRepository } from './modules/deliveries/deliveries.repository.ts'
import { deliveriesRoutes } from './modules/deliveries/deliveries.routes.ts'
import { DeliverySender } from './modules/deliveries/delivery-sender.ts'
import { MailChannel } from './modules/deliveries/mail-channel.ts'
import { MessagePlanner } from './modules/deliveries/message-planner.ts'
import { PushChannel } from './modules/deliveries/push-channel.ts'
import { WaitingMessagesRepository } from './modules/deliveries/waiting-messages.repository.ts'
import { WebPushClient } from './modules/deliveries/web-push-client.ts'
import { exportRoutes } from './modules/export/export.routes.ts'
import { ExportService } from './modules/export/export.service.ts'
import { PreferencesRepository } from './modules/preferences/preferences.repository.ts'
import { preferencesRoutes } from './modules/preferences/preferences.routes.ts'
import { roomsConsumers } from './modules/rooms/rooms.consumers.ts'
import { RoomsRepository } from './modules/rooms/rooms.repository.ts'
import { streamsConsumers } from './modules/streams/streams.consumers.ts'
import { StreamsRepository } from './modules/streams/streams.repository.ts'
import { subscriptionsConsumers } from './modules/subscriptions/subscriptions.consumers.ts'
import { SubscriptionsRepository } from './modules/subscriptions/subscriptions.repository.ts'
import { subscriptionsRoutes } from './modules/subscriptions/subscriptions.routes.ts'
import { type Mysql, openMysql } from './plugins/mysql.ts'

const NAME = 'notification-service'
/** An access token lives for 10 minutes: an older revocation concerns no token that is still valid. */
const REVOCATIONS_SINCE_MS = 10 * 60 * 1_000

export interface BuildOptions extends Pick<ServiceOptions, 'keys' | 'logDestination'> {
  /** The clock in milliseconds; a test moves it. */
  readonly now?: () => number
}

/** The worker, and what tests look into. */
export interface NotificationService extends Service {
  readonly sender: DeliverySender
  readonly deliveries: DeliveriesRepository
}

/** The worker, wired by hand, read from top to bottom. Nothing runs before `start()`. */
export async function buildNotificationService(
  config: Config,
  options: BuildOptions = {},
): Promise<NotificationService> {
  const { now = Date.now, ...serviceOptions } = options
  const service = await buildService({
    name: NAME,
    title: 'Notification Service',
    description: 'Welcome mails, and pushes for people who are not looking.',
    config,
    ...serviceOptions,
  })
  const { log, lifecycle } = service
  const metrics = new NotificationMetrics(service.metrics)
  const mysql = openMysql(service, config.DATABASE_URL)
  const kafka = createKafka({
    clientId: NAME,
    brokers: config.KAFKA_BROKERS,
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    log,
  })
  service.readiness.add({ name: 'kafka', ping: () => kafka.ping(), optional: true })
  const publisher = createPublisher({ kafka })

  const contacts = new ContactsRepository(mysql)
  const rooms = new RoomsRepository(mysql)
  const streams = new StreamsRepository(mysql)
  const preferences = new PreferencesRepository(mysql)
  const subscriptions = new SubscriptionsRepository(mysql)
  const deliveries = new DeliveriesRepository(mysql)
  const waiting = new WaitingMessagesRepository(mysql)
  const planner = new MessagePlanner({
    mysql,
    contacts,
    deliveries,
    waiting,
    preferences,
    digestMs: config.PUSH_DIGEST_MS,
    now,
  })
  const mail = new MailChannel({ smtpUrl: config.SMTP_URL, from: config.MAIL_FROM, contacts })
  const client = webPushClientOf(config)
  const push = new PushChannel({ contacts, preferences, rooms, streams, subscriptions, client, now })
  const sender = new DeliverySender({ deliveries, channels: { mail, push }, metrics, log, now })

  await service.app.register(subscriptionsRoutes, {
    subscriptions,
    vapidPublicKey: config.VAPID_PUBLIC_KEY ?? null,
    allowAnyEndpoint: config.NODE_ENV !== 'production',
  })
  await service.app.register(preferencesRoutes, { preferences })
  await service.app.register(deliveriesRoutes, { deliveries })
  const exports = new ExportService({ contacts, preferences, subscriptions, deliveries })
  await service.app.register(exportRoutes, { exports })

  const runners = createRunners(service, kafka, publisher, {
    events: [
      ...contactsConsumers({
        mysql,
        contacts,
        greet: (tx, { userId, eventId }) =>
          deliveries.create(tx, {
            userId,
            kind: 'welcome',
            channel: 'mail',
            eventId,
            dueAt: new Date(now()),
          }),
      }),
      ...roomsConsumers(mysql, rooms),
      ...deliveriesConsumers({ mysql, deliveries, waiting, planner, now }),
      ...subscriptionsConsumers(subscriptions),
      ...erasureConsumers({
        mysql,
        publisher,
        erasers: [
          (tx, userId, at) => contacts.erase(tx, userId, at),
          (tx, userId) => rooms.forgetUser(tx, userId),
          (tx, userId) => streams.forgetUser(tx, userId),
          (tx, userId) => preferences.erase(tx, userId),
          (tx, userId) => subscriptions.erase(tx, userId),
          (tx, userId) => deliveries.erase(tx, userId),
          (tx, userId) => waiting.erase(tx, userId),
        ],
      }),
    ],
    presence: streamsConsumers(streams),
  })
  const revocations = watchRevocations(service, kafka)
  const chores = choresOf({ mysql, deliveries, waiting, streams, planner, metrics, now })

  const start = async () => {
    for (const runner of runners) runner.start()
    revocations.start()
    sender.start()
    const running = startChores(chores, log)
    lifecycle.onStop('consumers', 'chores', () => running.stop())
    lifecycle.onStop('consumers', 'sender', () => sender.stop())
    lifecycle.onStop('consumers', 'revocations', () => revocations.stop())
    for (const runner of runners) lifecycle.onStop('consumers', 'events', () => runner.stop())
    lifecycle.onStop('producers', 'kafka', () => kafka.close())
    lifecycle.onStop('producers', 'publisher', () => publisher.stop())
    lifecycle.onStop('stores', 'smtp', () => mail.close())
    return service.start()
  }
  return { ...service, start, sender, deliveries }
}

function createRunners(
  service: Service,
  kafka: KafkaConnection,
  publisher: Publisher,
  handlers: Readonly<Record<string, Parameters<typeof createConsumerRunner>[0]['handlers']>>,
) {
  const { log, metrics: registry } = service
  return Object.entries(handlers).map(([purpose, handlersOfPurpose]) =>
    createConsumerRunner({
      kafka,
      classify: classifyStoreError,
      groupId: `${NAME}.${purpose}`,
      handlers: handlersOfPurpose,
      log,
      registry,
      publisher,
      onFatal: exitWith(service),
    }),
  )
}

/** Tokens of a session that ended are refused, by every process. */
function watchRevocations(service: Service, kafka: KafkaConnection) {
  const revocations = createBroadcastConsumer({
    kafka,
    name: `${NAME}.revocations`,
    handlers: [
      on(userSessionRevoked, async (event) =>
        service.revocations.add(event.session_ids, new Date(event.timestamp)),
      ),
    ],
    sinceMs: REVOCATIONS_SINCE_MS,
    log: service.log,
    registry: service.metrics,
    onFatal: exitWith(service),
  })
  service.readiness.add({
    name: 'revocations',
    ping: async () => {
      if (!revocations.health().caughtUp) throw new Error('revoked sessions are not known yet')
    },
  })
  return revocations
}

function exitWith(service: Service): (err: Error) => void {
  return (err) => {
    service.log.fatal({ err }, 'a consumer cannot go on')
    process.exit(1)
  }
}

function webPushClientOf(config: Config): WebPushClient | undefined {
  const { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey, VAPID_SUBJECT: subject } = config
  if (!publicKey || !privateKey) return undefined
  return new WebPushClient({
    vapid: { subject, publicKey, privateKey },
    allowAnyEndpoint: config.NODE_ENV !== 'production',
  })
}

function choresOf(deps: {
  mysql: Mysql
  deliveries: DeliveriesRepository
  waiting: WaitingMessagesRepository
  streams: StreamsRepository
  planner: MessagePlanner
  metrics: NotificationMetrics
  now: () => number
}): Chore[] {
  const { mysql, deliveries, waiting, streams, planner, metrics, now } = deps
  return [
    {
      name: 'retry waiting messages',
      everyMs: 500,
      run: async () => metrics.unroutable.inc(await planner.retryWaiting()),
    },
    {
      name: 'count what waits',
      everyMs: 10_000,
      run: async () => {
        metrics.pending.set(await deliveries.countOverdue(now()))
        metrics.waiting.set(await waiting.count())
      },
    },
    {
      name: 'purge',
      everyMs: 10 * 60_000,
      run: async () => {
        await deliveries.purge()
        await streams.purge(now())
        await purgeInbox(mysql.client)
      },
    },
  ]
}

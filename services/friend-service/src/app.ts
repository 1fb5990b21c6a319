import { userSessionRevoked } from '@bigtech/contracts'
import {
  createBroadcastConsumer,
  createConsumerRunner,
  createKafka,
  createPublisher,
  on,
} from '@bigtech/kafka'
import { createMySqlOutboxRelay, createOutbox, purgeInbox } from '@bigtech/outbox'
import {
  buildService,
  RateLimiter,
  type Service,
  ServiceClient,
  type ServiceOptions,
  startChores,
} from '@bigtech/service-kit'
import { classifyStoreError } from '@bigtech/stores'
import type { Config } from './config.ts'
import { FriendMetrics } from './metrics.ts'
import { erasureConsumers } from './modules/friendship/erasure.consumers.ts'
import { FriendListsRepository } from './modules/friendship/friend-lists.repository.ts'
import { FriendListsService } from './modules/friendship/friend-lists.service.ts'
import { FriendshipRepository } from './modules/friendship/friendship.repository.ts'
import { friendshipRoutes } from './modules/friendship/friendship.routes.ts'
import { FriendshipService } from './modules/friendship/friendship.service.ts'
import { peopleConsumers } from './modules/people/people.consumers.ts'
import { PeopleRepository } from './modules/people/people.repository.ts'
import { PeopleService } from './modules/people/people.service.ts'
import { openMysql, type QueryListener } from './plugins/mysql.ts'

const NAME = 'friend-service'
/** An access token lives for 10 minutes: an older revocation concerns no token that is still valid. */
const REVOCATIONS_SINCE_MS = 10 * 60 * 1_000

export interface BuildOptions extends Pick<ServiceOptions, 'keys' | 'logDestination'> {
  readonly onQuery?: QueryListener
  /** The clock in milliseconds; a test moves it. */
  readonly now?: () => number
}

/** The service, wired by hand, read from top to bottom. Nothing listens before `start()`. */
export async function buildFriendService(
  config: Config,
  options: BuildOptions = {},
): Promise<Service & { friendships: FriendshipService }> {
  const { now = Date.now, onQuery, ...serviceOptions } = options
  const service = await buildService({
    name: NAME,
    title: 'Friend Service',
    description: 'Friend requests, friendships and blocks.',
    config,
    ...serviceOptions,
  })
  const { log, metrics: registry, lifecycle } = service
  const onFatal = (err: Error) => {
    log.fatal({ err }, 'a consumer cannot go on')
    process.exit(1)
  }

  const mysql = openMysql(service, config.DATABASE_URL, onQuery)
  const userService = new ServiceClient({ service: 'user-service', baseUrl: config.USER_SERVICE_URL })
  lifecycle.onStop('stores', 'user-service client', () => userService.close())
  const kafka = createKafka({
    clientId: NAME,
    brokers: config.KAFKA_BROKERS,
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    log,
  })
  const publisher = createPublisher({ kafka })
  const relay = createMySqlOutboxRelay({ databaseUrl: config.DATABASE_URL, publisher, log, registry })
  service.readiness.add({ name: 'kafka', ping: () => kafka.ping(), optional: true })

  const peopleRepository = new PeopleRepository(mysql)
  const people = new PeopleService({ repository: peopleRepository, userService })
  const repository = new FriendshipRepository(mysql)
  const outbox = createOutbox(NAME)
  const friendships = new FriendshipService({
    repository,
    people,
    peopleRepository,
    outbox,
    metrics: new FriendMetrics(registry),
    onCommitted: () => relay.wake(),
    now,
  })
  const limiter = new RateLimiter({ registry, keyPrefix: '', log })
  const lists = new FriendListsService({ repository: new FriendListsRepository(mysql), people, now })
  await service.app.register(friendshipRoutes, {
    friendships,
    lists,
    limiter,
    actionsPerHour: config.FRIEND_ACTIONS_PER_HOUR,
  })

  const names = createConsumerRunner({
    kafka,
    classify: classifyStoreError,
    groupId: `${NAME}.names`,
    handlers: [
      ...peopleConsumers(mysql, peopleRepository),
      ...erasureConsumers({ mysql, repository, people: peopleRepository, outbox }),
    ],
    log,
    registry,
    publisher,
    onFatal,
  })
  const revocations = createBroadcastConsumer({
    kafka,
    name: `${NAME}.revocations`,
    handlers: [
      on(userSessionRevoked, async (event) => {
        service.revocations.add(event.session_ids, new Date(event.timestamp))
      }),
    ],
    sinceMs: REVOCATIONS_SINCE_MS,
    log,
    registry,
    onFatal,
  })

  service.readiness.add({
    name: 'revocations',
    ping: async () => {
      if (!revocations.health().caughtUp) throw new Error('revoked sessions are not known yet')
    },
  })

  const start = async () => {
    relay.start()
    names.start()
    revocations.start()
    const chores = startChores(
      [
        { name: 'expire requests', everyMs: 30_000, run: () => friendships.expireDue(log) },
        { name: 'purge request ids', everyMs: 10 * 60_000, run: () => repository.purgeRequestIds() },
        { name: 'purge inbox', everyMs: 10 * 60_000, run: () => purgeInbox(mysql.client) },
      ],
      log,
    )
    lifecycle.onStop('consumers', 'chores', () => chores.stop())
    lifecycle.onStop('consumers', 'revocations', () => revocations.stop())
    lifecycle.onStop('consumers', 'names', () => names.stop())
    lifecycle.onStop('producers', 'kafka', () => kafka.close())
    lifecycle.onStop('producers', 'publisher', () => publisher.stop())
    lifecycle.onStop('producers', 'outbox relay', () => relay.stop())
    return service.start()
  }
  return { ...service, start, friendships }
}

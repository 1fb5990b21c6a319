import { createOutbox, purgeInbox } from '@bigtech/outbox'
import { buildService, type Service, type ServiceOptions, StoreUnavailable } from '@bigtech/service-kit'
import { Counter, Gauge } from 'prom-client'
import { type Config, settle } from './config.ts'
import { createAccountRepository } from './modules/account/account.repository.ts'
import { accountRoutes } from './modules/account/account.routes.ts'
import { type AccountService, createAccountService } from './modules/account/account.service.ts'
import { deletionSubscriptions } from './modules/deletion/deletion.consumers.ts'
import { createDeletionRepository } from './modules/deletion/deletion.repository.ts'
import { deletionRoutes } from './modules/deletion/deletion.routes.ts'
import { createDeletionService } from './modules/deletion/deletion.service.ts'
import { createDirectoryRepository } from './modules/directory/directory.repository.ts'
import { directoryRoutes } from './modules/directory/directory.routes.ts'
import { createDirectoryService } from './modules/directory/directory.service.ts'
import { createLookupLimit, type LookupLimit } from './modules/directory/lookup-limit.ts'
import { relationSubscriptions } from './modules/directory/relations.consumers.ts'
import { createRelationsRepository } from './modules/directory/relations.repository.ts'
import { presenceSubscriptions } from './modules/presence/presence.consumers.ts'
import { createPresenceRelay } from './modules/presence/presence.relay.ts'
import { createPresenceRepository } from './modules/presence/presence.repository.ts'
import { presenceRoutes } from './modules/presence/presence.routes.ts'
import { createPresenceService, type PresenceService } from './modules/presence/presence.service.ts'
import { createPresenceStore } from './modules/presence/presence.store.ts'
import type { PresenceTiming } from './modules/presence/presence.ts'
import { createProfileRepository } from './modules/profile/profile.repository.ts'
import { profileRoutes } from './modules/profile/profile.routes.ts'
import { createProfileService } from './modules/profile/profile.service.ts'
import { createLoginGuard } from './modules/session/login-guard.ts'
import { createRevocationsRepository } from './modules/session/revocations.repository.ts'
import { revocationSubscriptions } from './modules/session/session.consumers.ts'
import { createSessionRepository } from './modules/session/session.repository.ts'
import { sessionRoutes } from './modules/session/session.routes.ts'
import { createSessionService } from './modules/session/session.service.ts'
import { ACCESS_TOKEN_SECONDS } from './modules/session/session.ts'
import { createSessionCache } from './modules/session/session-cache.ts'
import { createSessionEnder, type SessionEnder } from './modules/session/session-ender.ts'
import { createSessionMetrics } from './modules/session/session-metrics.ts'
import { createTokens } from './modules/session/tokens.ts'
import { background } from './plugins/background.ts'
import { openMessaging } from './plugins/kafka.ts'
import { openMysql } from './plugins/mysql.ts'
import { openNeighbours } from './plugins/neighbours.ts'
import { openPasswordHasher } from './plugins/password-hasher.ts'
import { createRateLimiter } from './plugins/rate-limiter.ts'
import { openRedis } from './plugins/redis.ts'
import { readSigningKeys, type SigningKeys } from './plugins/signing-keys.ts'

export interface UserServiceOptions {
  readonly logDestination?: NonNullable<ServiceOptions['logDestination']>
  /** Instead of those in JWT_PRIVATE_KEY_FILE. */
  readonly signingKeys?: SigningKeys
  /** Shorter for tests than what people get. */
  readonly presenceTiming?: PresenceTiming
  /** Longer for tests: the first wait of whoever guesses passwords. */
  readonly loginBaseWaitMs?: number
  readonly now?: () => Date
}

const DAY_MS = 86_400_000
const HOUSEKEEPING_MS = 10 * 60_000
const KEEP_REVOCATIONS_MS = 60 * 60_000
const KEEP_ENDED_SESSIONS_DAYS = 30
/** A deleted person's username: whoever took it at once would be taken for them. */
const KEEP_USERNAMES_DAYS = 90

/** Puts user-service together. Nothing listens and no event is consumed before `start()`. */
export async function buildUserService(config: Config, options: UserServiceOptions = {}): Promise<Service> {
  const settled = settle(config)
  const keys = options.signingKeys ?? (await readSigningKeys(config.JWT_PRIVATE_KEY_FILE))
  const service = await buildService({
    name: 'user-service',
    title: 'User Service',
    description: 'Accounts, sessions, profiles, search, presence.',
    config,
    keys: keys.verifyKeys,
    ...(options.logDestination ? { logDestination: options.logDestination } : {}),
  })
  const stores = await openStores(service, config, settled.workers)
  const revocations = createRevocationsRepository(stores.mysql)
  const knownRelations = createRelationsRepository(stores.mysql)
  const lookups = createLookupLimit(stores.limiter, knownRelations)
  const presence = buildPresence(service, stores, lookups, options.presenceTiming)
  const sessions = buildSessions(service, stores, keys, config, presence.service, options)
  const accounts = buildAccounts(service, stores, sessions.ender, settled.registrationsPerHour)
  const deletions = buildDeletions(service, stores, sessions.ender, accounts.service, (userId) =>
    Promise.all([presence.store.forget(userId), sessions.guard.forget(userId)]),
  )
  const profiles = createProfileService({
    profiles: createProfileRepository(stores.mysql, stores.outbox),
    limiter: stores.limiter,
    neighbours: stores.neighbours,
    wakeRelay: stores.messaging.wakeRelay,
    onVisibilityChanged: (userId) => quietly(service, presence.store.repeat(userId)),
  })
  const directory = createDirectoryService({
    directory: createDirectoryRepository(stores.mysql),
    limiter: stores.limiter,
    lookups,
  })
  stores.messaging.consume({
    groupId: 'user-service.relations',
    handlers: relationSubscriptions(knownRelations),
  })
  stores.messaging.listen({
    name: 'user-service.revocations',
    handlers: revocationSubscriptions(service.revocations),
    sinceMs: ACCESS_TOKEN_SECONDS * 1_000,
  })
  measureKeyAge(service, keys)

  // The signature says that a token was ours; this, that its session has not ended since, on any process.
  service.app.addHook('preParsing', async (request) => {
    if (request.actor) await sessions.service.assertActive(request.actor)
  })
  await service.app.register(accountRoutes, { accounts: accounts.service })
  await service.app.register(sessionRoutes, {
    sessions: sessions.service,
    revocations,
    publicKeys: keys.publicKeys,
  })
  await service.app.register(profileRoutes, { profiles })
  await service.app.register(deletionRoutes, { deletions: deletions.service })
  await service.app.register(directoryRoutes, { directory })
  await service.app.register(presenceRoutes, { presence: presence.service })

  const housekeeping = background(service, 'housekeeping', HOUSEKEEPING_MS, async () => {
    const now = options.now?.() ?? new Date()
    await sessions.repository.purge(new Date(now.getTime() - KEEP_ENDED_SESSIONS_DAYS * DAY_MS))
    await accounts.repository.releaseUsernames(new Date(now.getTime() - KEEP_USERNAMES_DAYS * DAY_MS))
    await accounts.repository.protectUsernames()
    await revocations.purge(new Date(now.getTime() - KEEP_REVOCATIONS_MS))
    await stores.mysql.run('purgeInbox', (db) => purgeInbox(db))
    await deletions.service.announceAgain()
  })
  return {
    ...service,
    start: async () => {
      stores.messaging.start()
      for (const work of [presence.relay, deletions.saga, housekeeping]) work.start()
      return service.start()
    },
  }
}

type Stores = Awaited<ReturnType<typeof openStores>>

async function openStores(service: Service, config: Config, workers: number) {
  const redis = await openRedis(service, config.REDIS_URL)
  return {
    redis,
    mysql: openMysql(service, config.DATABASE_URL, config.DATABASE_POOL_SIZE),
    limiter: createRateLimiter(service, redis),
    messaging: openMessaging(service, config),
    outbox: createOutbox('user-service'),
    passwords: openPasswordHasher(service, {
      cost: config.BCRYPT_COST,
      workers,
      queue: config.BCRYPT_QUEUE,
    }),
    neighbours: openNeighbours(service, {
      friendServiceUrl: config.FRIEND_SERVICE_URL,
      chatServiceUrl: config.CHAT_SERVICE_URL,
      notificationServiceUrl: config.NOTIFICATION_SERVICE_URL,
    }),
  }
}

function buildPresence(
  service: Service,
  { redis, mysql, messaging }: Stores,
  lookups: LookupLimit,
  timing?: PresenceTiming,
) {
  const store = createPresenceStore(redis, timing)
  const relations = createPresenceRepository(mysql)
  messaging.consume({
    groupId: 'user-service.presence',
    handlers: presenceSubscriptions(store),
    // What streams said before anybody listened is over.
    startFrom: 'latest',
  })
  return {
    store,
    service: createPresenceService({ presence: store, relations, lookups }),
    relay: createPresenceRelay(service, { presence: store, relations, messaging }),
  }
}

function buildSessions(
  service: Service,
  { mysql, redis, outbox, passwords, messaging }: Stores,
  keys: SigningKeys,
  config: Config,
  presence: PresenceService,
  { now, loginBaseWaitMs }: UserServiceOptions,
) {
  const cache = createSessionCache(redis)
  const guard = createLoginGuard(redis, {
    freeAttemptsPerIp: config.LOGIN_FREE_ATTEMPTS_PER_IP,
    baseWaitMs: loginBaseWaitMs,
  })
  const ender = createSessionEnder({
    outbox,
    cache,
    revocations: service.revocations,
    wakeRelay: messaging.wakeRelay,
    onEnded: (userId, sessionIds) => quietly(service, presence.sessionsEnded(userId, sessionIds)),
    metrics: service.metrics,
  })
  const repository = createSessionRepository(mysql, outbox, ender)
  const { findLogin } = createAccountRepository(mysql, outbox)
  const sessions = createSessionService({
    sessions: repository,
    findLogin,
    passwords,
    guard,
    tokens: createTokens(keys, { issuer: config.JWT_ISSUER, audience: config.JWT_AUDIENCE }),
    cache,
    ender,
    metrics: createSessionMetrics(service.metrics),
    wakeRelay: messaging.wakeRelay,
    ...(now ? { now } : {}),
  })
  return { ender, guard, repository, service: sessions }
}

function buildAccounts(
  service: Service,
  stores: Stores,
  sessions: SessionEnder,
  registrationsPerHour: number,
) {
  const registered = new Counter({
    name: 'users_registered_total',
    help: 'Sign-ups.',
    registers: [service.metrics],
  })
  const repository = createAccountRepository(stores.mysql, stores.outbox)
  return {
    repository,
    service: createAccountService({
      accounts: repository,
      passwords: stores.passwords,
      limiter: stores.limiter,
      sessions,
      registrationsPerHour,
      onRegistered: () => {
        registered.inc()
        stores.messaging.wakeRelay()
      },
    }),
  }
}

const SAGA_EVERY_MS = 2_000

function buildDeletions(
  service: Service,
  { mysql, outbox, messaging }: Stores,
  sessions: SessionEnder,
  accounts: AccountService,
  forgetInRedis: (userId: number) => Promise<unknown>,
) {
  const repository = createDeletionRepository(mysql, outbox, sessions)
  messaging.consume({ groupId: 'user-service.deletions', handlers: deletionSubscriptions(repository) })
  const deletions = createDeletionService({
    deletions: repository,
    sessions,
    confirmPassword: accounts.confirmPassword,
    forgetInRedis,
    wakeRelay: () => {
      messaging.wakeRelay()
      saga.wake()
    },
  })
  const saga = background(service, 'account deletions', SAGA_EVERY_MS, deletions.carryOn)
  return { service: deletions, saga }
}

/** For what is good to have but must not fail the request while its store is away. */
async function quietly(service: Service, work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (err) {
    if (!(err instanceof StoreUnavailable)) throw err
    service.log.debug({ err }, 'skipped: store away')
  }
}

function measureKeyAge(service: Service, keys: SigningKeys): void {
  new Gauge({
    name: 'signing_key_age_seconds',
    help: 'Age of the key that signs access tokens.',
    registers: [service.metrics],
    collect() {
      this.set((Date.now() - keys.createdAt.getTime()) / 1_000)
    },
  })
}

import {
  createOutbox,
  MySqlOutboxStore,
  MySqlRelayLock,
  type Outbox,
  type OutboxStore,
  purgeInbox,
} from '@bigtech/outbox'
import { MySqlSession, type SqlExecutor, type Statement } from '@bigtech/stores'
import { RateLimiter } from './rate-limiter.ts'
import type { RedisStore } from './redis.ts'
import type { Service } from './service.ts'
import { ServiceClient, type ServiceClientOptions } from './service-client.ts'

const INBOX_PURGE_MS = 60_000

/** The part of a service's `SqlStore` that does not depend on its Prisma client. */
interface Database {
  readonly client: SqlExecutor
  has(query: Statement): Promise<boolean>
  ping(): Promise<void>
  close(): Promise<void>
}

export interface MysqlOptions {
  /** Makes the database optional for readiness once it has been up, because the process can then serve without it. */
  readonly optionalOnceUp?: boolean
  /** False for a service without an inbox table. */
  readonly inbox?: boolean
}

/** Adds a service's database to /ready, purges its inbox and closes it on stop. MySQL need not be up yet. */
export function openMysql<Mysql extends Database>(
  service: Service,
  mysql: Mysql,
  { optionalOnceUp = false, inbox = true }: MysqlOptions = {},
): Mysql {
  let hasBeenUp = false
  service.readiness.add({
    name: 'mysql',
    ping: async () => {
      await mysql.ping()
      hasBeenUp = true
    },
    get optional() {
      return hasBeenUp && optionalOnceUp
    },
  })
  service.lifecycle.onStop('stores', 'mysql', () => mysql.close())
  if (inbox)
    service.every({ name: 'inbox purge', everyMs: INBOX_PURGE_MS, run: () => purgeInbox(mysql.client) })
  return mysql
}

/** An outbox with its relay. */
export interface ServiceOutbox extends Outbox {
  /** Triggers publication; call after a commit. Without it the event is published within about a second. */
  wake(): void
}

/**
 * Opens the outbox table of a service's database; its relay runs after `start`.
 *
 * @param options.restMs how late an event without a `wake` may be published. Default 1 s
 */
export function openOutbox(
  service: Service,
  mysql: Pick<Database, 'has'>,
  databaseUrl: string,
  options: { readonly restMs?: number } = {},
): ServiceOutbox {
  const session = new MySqlSession(databaseUrl)
  const relay = service.messaging.addRelay({
    name: 'outbox',
    lock: new MySqlRelayLock(session),
    store: new MySqlOutboxStore(session, { has: (query) => mysql.has(query) }),
    ...options,
    close: () => session.close(),
  })
  return { enqueue: createOutbox(service.name).enqueue, wake: () => relay.wake() }
}

export interface CustomOutboxOptions<Id> {
  /** Distinguishes its lock. */
  readonly name: string
  readonly store: OutboxStore<Id>
  readonly databaseUrl: string
  /** How late an entry without a `wake` may be published. */
  readonly restMs: number
}

/** Opens an outbox stored outside the outbox table. */
export function openCustomOutbox<Id>(service: Service, options: CustomOutboxOptions<Id>): { wake(): void } {
  const session = new MySqlSession(options.databaseUrl)
  return service.messaging.addRelay({
    name: options.name,
    lock: new MySqlRelayLock(session, options.name),
    store: options.store,
    restMs: options.restMs,
    close: () => session.close(),
  })
}

/** Opens a client of a neighbor service and closes it on stop. */
export function openServiceClient(service: Service, options: ServiceClientOptions): ServiceClient {
  const client = new ServiceClient(options)
  service.lifecycle.onStop('stores', `${options.service} client`, () => client.close())
  return client
}

/** Opens the rate limits of a service, counted in its Redis, or per process without Redis. */
export function openRateLimiter(
  { metrics, log }: Service,
  redis?: RedisStore,
  keyPrefix = 'rate_limit:',
): RateLimiter {
  return new RateLimiter({
    registry: metrics,
    keyPrefix,
    log,
    ...(redis && { redis }),
  })
}

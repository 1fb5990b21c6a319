import {
  openMysql,
  openOutbox,
  openRateLimiter,
  openRedis,
  type Service,
  StoreUnavailable,
} from '@bigtech/service-kit'
import type { Config } from '../config.ts'
import { createMysql } from './mysql.ts'
import { openNeighbours } from './neighbours.ts'
import { openPasswordHasher } from './password-hasher.ts'
import { createSecretBox } from './secret-box.ts'

export type Stores = Awaited<ReturnType<typeof openStores>>

/** Opens shared resources: stores, password threads, clients of neighbor services. */
export async function openStores(service: Service, config: Config, workers: number) {
  return {
    ...(await openDataStores(service, config)),
    passwords: openPasswordHasher(service, {
      cost: config.BCRYPT_COST,
      workers,
      queue: config.BCRYPT_QUEUE,
    }),
  }
}

export type DataStores = Awaited<ReturnType<typeof openDataStores>>

/** Opens the same resources without password threads, for operator commands. */
export async function openDataStores(service: Service, config: Config) {
  const redis = await openRedis(service, config.REDIS_URL)
  const mysql = openMysql(
    service,
    createMysql(config.DATABASE_URL, service.metrics, config.DATABASE_POOL_SIZE),
  )
  return {
    redis,
    mysql,
    outbox: openOutbox(service, mysql, config.DATABASE_URL),
    limiter: openRateLimiter(service, redis),
    secretBox: createSecretBox(config.TOTP_KEYS),
    neighbours: openNeighbours(service, {
      friendServiceUrl: config.FRIEND_SERVICE_URL,
      chatServiceUrl: config.CHAT_SERVICE_URL,
      notificationServiceUrl: config.NOTIFICATION_SERVICE_URL,
      mediaServiceUrl: config.MEDIA_SERVICE_URL,
    }),
  }
}

/** Ignores an outage, for side effects that must not fail the request. */
export async function ignoreOutage(service: Service, work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (err) {
    if (!(err instanceof StoreUnavailable)) throw err
    service.log.debug({ err }, 'skipped during an outage')
  }
}

import { once } from 'node:events'
import { StoreMetrics, StoreUnavailable, withTimeout } from '@bigtech/stores'
import { Redis } from 'ioredis'
import type { Service } from './service.ts'

/** A Redis client with deadlines and one error for outages. */
export interface RedisStore {
  /** For commands whose failure the caller handles itself; each fails within 500 ms during an outage. */
  readonly client: Redis
  /** @throws StoreUnavailable within 500 ms when Redis does not respond. */
  run<Result>(operation: string, work: (redis: Redis) => Promise<Result>): Promise<Result>
  /** False for 3 s after a failure, so that callers with a fallback fail fast. */
  readonly healthy: boolean
}

const COMMAND_TIMEOUT_MS = 500
const SUSPECT_MS = 3_000
const FIRST_CONNECT_MS = 1_500

/**
 * Opens Redis and waits up to 1.5 s for the first connection. Reconnects forever in the background; while
 * disconnected, every operation fails immediately.
 */
export async function openRedis(service: Service, url: string): Promise<RedisStore> {
  const redis = new Redis(url, {
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: 1_000,
    // A queued command would be answered after its deadline.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: true,
    retryStrategy: (attempt) => Math.min(100 * attempt, 1_000),
  })
  let failedAt = Number.NEGATIVE_INFINITY
  redis.on('error', (err) => service.log.debug({ err }, 'Redis connection failed'))
  redis.on('close', () => {
    if (!service.lifecycle.isStopping) service.log.warn('Redis connection lost')
  })
  const metrics = new StoreMetrics(service.metrics)
  await withTimeout(once(redis, 'ready'), FIRST_CONNECT_MS, 'Redis did not connect').catch((err: unknown) =>
    service.log.warn({ err }, 'started without Redis'),
  )

  async function run<Result>(operation: string, work: (redis: Redis) => Promise<Result>): Promise<Result> {
    try {
      return await metrics.measure('redis', operation, () => work(redis))
    } catch (err) {
      if (isBug(err)) throw err
      failedAt = performance.now()
      throw new StoreUnavailable('redis', err)
    }
  }

  // Optional: every process has the same fallback.
  service.readiness.add({ name: 'redis', ping: () => redis.ping(), optional: true })
  service.lifecycle.onStop('stores', 'redis', () => redis.disconnect())
  return {
    client: redis,
    run,
    get healthy() {
      return performance.now() - failedAt > SUSPECT_MS
    },
  }
}

/** Returns true for an error reported by the server about our command, as opposed to an outage. */
function isBug(err: unknown): boolean {
  return (
    err instanceof Error && err.name === 'ReplyError' && !/^(LOADING|READONLY|OOM|BUSY)/.test(err.message)
  )
}

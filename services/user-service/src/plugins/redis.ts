import { once } from 'node:events'
import { type Service, StoreMetrics, StoreUnavailable, withTimeout } from '@bigtech/service-kit'
import { Redis } from 'ioredis'

/** Redis, so that whoever uses it never waits long and knows its failures by one name. */
export interface RedisStore {
  /** @throws StoreUnavailable within 500 ms when Redis does not answer. */
  run<Result>(operation: string, work: (redis: Redis) => Promise<Result>): Promise<Result>
  /** False for a moment after a failure: what has another answer need not wait for the next one. */
  readonly healthy: boolean
}

const COMMAND_TIMEOUT_MS = 500
const SUSPECT_MS = 3_000
const FIRST_CONNECT_MS = 1_500

/**
 * Waits a moment for the connection, then goes on without: it is tried for ever in the
 * background, and while there is none every operation fails at once.
 */
export async function openRedis(service: Service, url: string): Promise<RedisStore> {
  const redis = new Redis(url, {
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: 1_000,
    // A command that waits in a queue for a server that is away is answered too late to be of use.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: true,
    retryStrategy: (attempt) => Math.min(100 * attempt, 1_000),
  })
  let failedAt = Number.NEGATIVE_INFINITY
  redis.on('error', (err) => service.log.debug({ err }, 'redis'))
  redis.on('close', () => {
    if (!service.lifecycle.isStopping) service.log.warn('redis connection lost')
  })
  const metrics = new StoreMetrics(service.metrics)
  await withTimeout(once(redis, 'ready'), FIRST_CONNECT_MS, 'Redis did not connect').catch((err: unknown) =>
    service.log.warn({ err }, 'started without redis'),
  )

  async function run<Result>(operation: string, work: (redis: Redis) => Promise<Result>): Promise<Result> {
    try {
      return await metrics.measure('redis', operation, () => work(redis))
    } catch (err) {
      // The server answered: what it says is a defect of ours, not an outage.
      if (
        err instanceof Error &&
        err.name === 'ReplyError' &&
        !/^(LOADING|READONLY|OOM|BUSY)/.test(err.message)
      )
        throw err
      failedAt = performance.now()
      throw new StoreUnavailable('redis', err)
    }
  }

  // Optional: without it sign-in refuses (503) and presence is unknown, on every instance alike.
  service.readiness.add({ name: 'redis', ping: () => redis.ping(), optional: true })
  service.lifecycle.onStop('stores', 'redis', () => redis.disconnect())
  return {
    run,
    get healthy() {
      return performance.now() - failedAt > SUSPECT_MS
    },
  }
}

import { RateLimiter, type Service } from '@bigtech/service-kit'
import type { RedisStore } from './redis.ts'

export type { Limit, RateLimiter } from '@bigtech/service-kit'

/** The limits of this service; that of signing in has rules of its own (login-guard.ts). */
export function createRateLimiter({ metrics, log }: Service, redis: RedisStore): RateLimiter {
  return new RateLimiter({
    registry: metrics,
    keyPrefix: 'rate_limit:',
    runScript: (script, key, ...args) =>
      redis.run('rateLimit', (client) => client.eval(script, 1, key, ...args)),
    log,
  })
}

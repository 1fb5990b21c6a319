import { RateLimiter, type Service } from '@bigtech/service-kit'
import type { ChatRedis } from './redis.ts'

export type { Limit, RateLimiter } from '@bigtech/service-kit'

/** The limits of this service: counted in its Redis, below `chat:`. */
export function createRateLimiter({ metrics, log }: Service, { commands }: ChatRedis): RateLimiter {
  return new RateLimiter({
    registry: metrics,
    keyPrefix: 'chat:limit:',
    runScript: (script, key, ...args) => commands.eval(script, 1, key, ...args),
    log,
  })
}

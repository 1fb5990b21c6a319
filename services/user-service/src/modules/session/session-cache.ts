import { type RedisStore, StoreUnavailable } from '@bigtech/service-kit'
import { ACCESS_TOKEN_SECONDS } from './session.ts'

type CachedState = 'active' | 'ended'

/**
 * `user:session:{user_id}`: the state of each of a user's sessions, for the check on every request.
 * A hint that may vanish at any time; the database knows.
 */
export interface SessionCache {
  /** Undefined when it is not known, or Redis is away. */
  read(userId: number, sessionId: string): Promise<CachedState | undefined>
  /** Never overwrites `ended`: a reader may be slower than the one who ends the session. */
  noteActive(userId: number, sessionId: string): Promise<void>
  noteEnded(userId: number, sessionIds: readonly string[]): Promise<void>
}

/** Longer than an access token lives: afterwards nobody asks for an ended session any more. */
const TTL_SECONDS = ACCESS_TOKEN_SECONDS * 2

export function createSessionCache(redis: RedisStore): SessionCache {
  const quietly = async (work: Promise<unknown>) => {
    try {
      await work
    } catch (err) {
      if (!(err instanceof StoreUnavailable)) throw err
    }
  }
  return {
    read: async (userId, sessionId) => {
      if (!redis.healthy) return undefined
      try {
        const value = await redis.run('sessionRead', (client) => client.hget(keyOf(userId), sessionId))
        return value === 'active' || value === 'ended' ? value : undefined
      } catch (err) {
        if (err instanceof StoreUnavailable) return undefined
        throw err
      }
    },
    noteActive: async (userId, sessionId) => {
      // Not worth waiting for while Redis is suspect: the next reader asks the database.
      if (!redis.healthy) return
      await quietly(
        redis.run('sessionWrite', (client) =>
          client.multi().hsetnx(keyOf(userId), sessionId, 'active').expire(keyOf(userId), TTL_SECONDS).exec(),
        ),
      )
    },
    noteEnded: (userId, sessionIds) =>
      quietly(
        redis.run('sessionWrite', (client) =>
          client
            .multi()
            .hset(keyOf(userId), Object.fromEntries(sessionIds.map((id) => [id, 'ended'])))
            .expire(keyOf(userId), TTL_SECONDS)
            .exec(),
        ),
      ),
  }
}

function keyOf(userId: number): string {
  return `user:session:${userId}`
}

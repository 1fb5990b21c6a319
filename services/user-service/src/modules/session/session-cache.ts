import { type RedisStore, StoreUnavailable } from '@bigtech/service-kit'
import { ACCESS_TOKEN_SECONDS } from './session.ts'

/**
 * The state of each session of a user in Redis, `user:session:{user_id}`: `active` or `ended`, for
 * inspection by operators. No request reads it, because every process knows the ended sessions
 * (`RevocationList`).
 */
export interface SessionCache {
  /** Records an active session. Never overwrites `ended`, because writers may overtake each other. */
  noteActive(userId: number, sessionId: string): Promise<void>
  noteEnded(userId: number, sessionIds: readonly string[]): Promise<void>
}

/** Longer than an access token is valid, after which an ended session is irrelevant. */
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
    noteActive: async (userId, sessionId) => {
      // Skipped while Redis is suspected to be down.
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

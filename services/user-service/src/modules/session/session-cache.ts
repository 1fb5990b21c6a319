import { type RedisStore, StoreUnavailable } from '@bigtech/service-kit'
import { ACCESS_TOKEN_SECONDS } from './session.ts'

/**
 * `user:session:{user_id}`: the state of each of a user's sessions, `active` or `ended`, for operators who look at Redis.
 * No request reads it: ended sessions are known to every process (`RevocationList`).
 */
export interface SessionCache {
  /** Never overwrites `ended`: two writers of one session may overtake each other. */
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
    noteActive: async (userId, sessionId) => {
      // Not worth waiting for while Redis is suspect.
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

import type { Limit, RateLimiter } from '@bigtech/service-kit'
import type { RelationsRepository } from './relations.repository.ts'

/** Enough for the members of several large rooms at once. */
const burst: Limit = { name: 'lookup', max: 2_000, windowSeconds: 600 }
/** Prevents enumerating all profiles by counting ids: it would take years. */
const daily: Limit = { name: 'lookup_daily', max: 10_000, windowSeconds: 86_400 }

/** Limits how many strangers a user looks up by id: profiles and presence together, existing or not. */
export interface LookupLimit {
  /** Counts lookups. @throws Problem RATE_LIMITED */
  take(viewerId: number, userIds: readonly number[]): Promise<void>
  /** Like `take`, for callers that know the viewer's friends among the users. @throws Problem RATE_LIMITED */
  takeStrangers(viewerId: number, userIds: readonly number[], friends: ReadonlySet<number>): Promise<void>
}

export function createLookupLimit(limiter: RateLimiter, relations: RelationsRepository): LookupLimit {
  async function takeStrangers(viewerId: number, userIds: readonly number[], friends: ReadonlySet<number>) {
    const strangers = new Set(userIds.filter((userId) => userId !== viewerId && !friends.has(userId)))
    if (strangers.size === 0) return
    await limiter.take(burst, viewerId, strangers.size)
    await limiter.take(daily, viewerId, strangers.size)
  }
  return {
    takeStrangers,
    take: async (viewerId, userIds) => {
      const others = userIds.filter((userId) => userId !== viewerId)
      if (others.length === 0) return
      await takeStrangers(viewerId, others, new Set(await relations.friendsAmong(viewerId, others)))
    },
  }
}

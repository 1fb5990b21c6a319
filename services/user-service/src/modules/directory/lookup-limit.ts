import type { Limit, RateLimiter } from '@bigtech/service-kit'
import type { RelationsRepository } from './relations.repository.ts'

/** Enough for the members of several large rooms at a time. */
const burst: Limit = { name: 'lookup', max: 2_000, windowSeconds: 600 }
/** Reading every profile of an installation by counting ids upwards must take years, not minutes. */
const daily: Limit = { name: 'lookup_daily', max: 10_000, windowSeconds: 86_400 }

/** Bounds how many strangers a user looks up by id: profiles and presence alike, whether or not the id exists. */
export interface LookupLimit {
  /** @throws Problem RATE_LIMITED */
  take(viewerId: number, userIds: readonly number[]): Promise<void>
  /** As `take`, for whoever knows the viewer's friends among the users. @throws Problem RATE_LIMITED */
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

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
}

export function createLookupLimit(limiter: RateLimiter, relations: RelationsRepository): LookupLimit {
  return {
    take: async (viewerId, userIds) => {
      const others = new Set(userIds)
      others.delete(viewerId)
      if (others.size === 0) return
      for (const friendId of await relations.friendsAmong(viewerId, [...others])) others.delete(friendId)
      if (others.size === 0) return
      await limiter.take(burst, viewerId, others.size)
      await limiter.take(daily, viewerId, others.size)
    },
  }
}

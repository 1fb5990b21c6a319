import { userUpdated } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import type { ProfileCache } from './profile-cache.ts'

/** For a process that died, or lost Redis, between its write and the invalidation. No inbox: versions make it idempotent. */
export function profileCacheSubscriptions(cache: ProfileCache): Subscription[] {
  return [
    on(userUpdated, async ({ user_id, profile_version }) => {
      if (profile_version === undefined) return 'ignored'
      await cache.invalidate(user_id, profile_version)
      return 'applied'
    }),
  ]
}

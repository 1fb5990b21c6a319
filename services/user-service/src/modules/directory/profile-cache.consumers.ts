import { userUpdated } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import type { ProfileCache } from './profile-cache.ts'

/**
 * Returns the handlers that invalidate cached profiles, in case a process died between write and
 * invalidation. No inbox: versions make them idempotent.
 */
export function profileCacheSubscriptions(cache: ProfileCache): Subscription[] {
  return [
    on(userUpdated, async ({ user_id, profile_version }) => {
      if (profile_version === undefined) return 'ignored'
      await cache.invalidate(user_id, profile_version)
      return 'applied'
    }),
  ]
}

import type { Service } from '@bigtech/service-kit'
import type { Stores } from '../../infrastructure/stores.ts'
import { createProfileRepository } from './profile.repository.ts'
import { profileRoutes } from './profile.routes.ts'
import { type ChangeUsername, createProfileService } from './profile.service.ts'

/** Wires profiles and the data export. */
export function createProfiles(options: {
  service: Service
  stores: Stores
  changeUsername: ChangeUsername
  onChanged: (userId: number, version: number) => Promise<void>
  onVisibilityChanged: (userId: number) => Promise<void>
}): void {
  const { service, stores, changeUsername, onChanged, onVisibilityChanged } = options
  const { mysql, outbox, limiter, neighbours } = stores
  const profiles = createProfileService({
    profiles: createProfileRepository(mysql, outbox),
    changeUsername,
    limiter,
    neighbours,
    wakeRelay: () => outbox.wake(),
    onChanged,
    onVisibilityChanged,
  })
  service.app.register(profileRoutes, { profiles })
}

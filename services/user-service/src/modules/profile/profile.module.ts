import type { Service } from '@bigtech/service-kit'
import type { Stores } from '../../infrastructure/stores.ts'
import type { ProfileOf } from '../export/export-parts.ts'
import { createProfileRepository, type ProfileRepository } from './profile.repository.ts'
import { profileBody, profileRoutes, settingsBody } from './profile.routes.ts'
import { type ChangeUsername, createProfileService } from './profile.service.ts'

/** Wires profiles. */
export function createProfiles(options: {
  service: Service
  stores: Stores
  changeUsername: ChangeUsername
  onChanged: (userId: number, version: number) => Promise<void>
  onVisibilityChanged: (userId: number) => Promise<void>
}): { profileOf: ProfileOf } {
  const { service, stores, changeUsername, onChanged, onVisibilityChanged } = options
  const { mysql, outbox, neighbours } = stores
  const repository = createProfileRepository(mysql, outbox)
  const profiles = createProfileService({
    profiles: repository,
    changeUsername,
    claimAvatar: neighbours.claimAvatar,
    storage: neighbours.storage,
    wakeRelay: () => outbox.wake(),
    onChanged,
    onVisibilityChanged,
  })
  service.app.register(profileRoutes, { profiles })
  return { profileOf: exportedProfile(repository) }
}

/** Returns a function that reads profile and settings for an archive. @throws Error when there is no active account */
export function exportedProfile(profiles: Pick<ProfileRepository, 'find'>): ProfileOf {
  return async (userId) => {
    const found = await profiles.find(userId)
    if (!found) throw new Error(`There is no active account ${userId}.`)
    return { profile: profileBody(found.profile), settings: settingsBody(found.settings) }
  }
}

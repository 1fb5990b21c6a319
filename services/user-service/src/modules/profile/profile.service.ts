import { pictureUrlOf, type StorageUsage } from '@bigtech/contracts'
import { type AuthenticatedContext, Problem } from '@bigtech/service-kit'
import type { ProfileRepository } from './profile.repository.ts'
import type { Profile, ProfileEdit, Settings, SettingsChange } from './profile.ts'

/** Implemented by the account module, which owns usernames. @throws Problem USERNAME_TAKEN, USERNAME_CHANGE_LIMIT */
export type ChangeUsername = (ctx: AuthenticatedContext, username: string) => Promise<void>

export type ProfileService = ReturnType<typeof createProfileService>

/** Creates the service for a user's own profile and settings. */
export function createProfileService(deps: {
  profiles: ProfileRepository
  changeUsername: ChangeUsername
  claimAvatar: (ctx: AuthenticatedContext, fileId: string) => Promise<void>
  storage: (ctx: AuthenticatedContext) => Promise<StorageUsage | null>
  wakeRelay: () => void
  /** Called when the public part of a user has changed, with the row's new version. */
  onChanged: (userId: number, version: number) => Promise<void>
  onVisibilityChanged: (userId: number, correlationId: string) => Promise<void>
}) {
  const { profiles } = deps

  async function own(ctx: AuthenticatedContext): Promise<{ profile: Profile; settings: Settings }> {
    const row = await profiles.find(ctx.actor.userId)
    if (!row) throw new Problem('USER_NOT_FOUND')
    return row
  }

  return {
    getMyProfile: async (ctx: AuthenticatedContext): Promise<Profile> => (await own(ctx)).profile,

    /** Null while media-service does not respond. */
    getMyStorage: (ctx: AuthenticatedContext): Promise<StorageUsage | null> => deps.storage(ctx),

    getMySettings: async (ctx: AuthenticatedContext): Promise<Settings> => (await own(ctx)).settings,

    /**
     * Updates the profile. @throws Problem FILE_NOT_FOUND, FILE_NOT_READY, FILE_KIND_MISMATCH for an unusable
     * picture
     */
    async updateMyProfile(ctx: AuthenticatedContext, edit: ProfileEdit): Promise<Profile> {
      const { pictureFileId, ...change } = edit
      const profileImageUrl = pictureFileId ? pictureUrlOf(pictureFileId) : pictureFileId
      if (pictureFileId && profileImageUrl !== (await own(ctx)).profile.profileImageUrl)
        await deps.claimAvatar(ctx, pictureFileId)
      const profile = await profiles.update(ctx.actor.userId, { ...change, profileImageUrl }, ctx.requestId)
      if (!profile) throw new Problem('USER_NOT_FOUND')
      deps.wakeRelay()
      await deps.onChanged(ctx.actor.userId, await profiles.version(ctx.actor.userId))
      return profile
    },

    async changeUsername(ctx: AuthenticatedContext, username: string): Promise<Profile> {
      await deps.changeUsername(ctx, username)
      await deps.onChanged(ctx.actor.userId, await profiles.version(ctx.actor.userId))
      return (await own(ctx)).profile
    },

    async updateMySettings(ctx: AuthenticatedContext, change: SettingsChange): Promise<Settings> {
      const { userId } = ctx.actor
      const result = await profiles.updateSettings(userId, change, ctx.requestId)
      if (!result) throw new Problem('USER_NOT_FOUND')
      deps.wakeRelay()
      if (result.before.presenceVisibility !== result.after.presenceVisibility) {
        await deps.onVisibilityChanged(userId, ctx.requestId)
      }
      return result.after
    },
  }
}

import type { Readable } from 'node:stream'
import { type AuthenticatedContext, type Limit, Problem, type RateLimiter } from '@bigtech/service-kit'
import { AlreadyTaken } from '../account/account.errors.ts'
import type { UsernameRepository } from '../account/username.repository.ts'
import type { ExportedSession, ProfileRepository } from './profile.repository.ts'
import type { Profile, ProfileChange, Settings, SettingsChange } from './profile.ts'

export type ProfileService = ReturnType<typeof createProfileService>

/** A neighbour's part of an export: its answer (JSON) as it comes, or why there is none. */
export type ExportPart = { readonly body: Readable } | { readonly missing: string }

export interface DataExport {
  readonly exportedAt: Date
  readonly profile: Profile
  readonly settings: Settings
  readonly sessions: readonly ExportedSession[]
  readonly parts: Readonly<Record<'friends' | 'rooms' | 'notifications', ExportPart>>
}

const exports: Limit = { name: 'export', max: 10, windowSeconds: 3_600 }

/** What users do with their own profile and settings. */
export function createProfileService(deps: {
  profiles: ProfileRepository
  usernames: UsernameRepository
  limiter: RateLimiter
  neighbours: {
    friends(ctx: AuthenticatedContext): Promise<ExportPart>
    rooms(ctx: AuthenticatedContext): Promise<ExportPart>
    notifications(ctx: AuthenticatedContext): Promise<ExportPart>
  }
  wakeRelay: () => void
  onVisibilityChanged: (userId: number, correlationId: string) => Promise<void>
}) {
  const { profiles, limiter, neighbours } = deps

  async function own(ctx: AuthenticatedContext): Promise<{ profile: Profile; settings: Settings }> {
    const row = await profiles.find(ctx.actor.userId)
    if (!row) throw new Problem('USER_NOT_FOUND')
    return row
  }

  return {
    getMyProfile: async (ctx: AuthenticatedContext): Promise<Profile> => (await own(ctx)).profile,

    getMySettings: async (ctx: AuthenticatedContext): Promise<Settings> => (await own(ctx)).settings,

    async updateMyProfile(ctx: AuthenticatedContext, change: ProfileChange): Promise<Profile> {
      const profile = await profiles.update(ctx.actor.userId, change, ctx.requestId)
      if (!profile) throw new Problem('USER_NOT_FOUND')
      deps.wakeRelay()
      return profile
    },

    async changeUsername(ctx: AuthenticatedContext, username: string): Promise<Profile> {
      const change = await deps.usernames
        .change(ctx.actor.userId, username, ctx.requestId)
        .catch((err: unknown) => {
          throw err instanceof AlreadyTaken ? new Problem('USERNAME_TAKEN') : err
        })
      if (typeof change === 'object') {
        const retryAfterSeconds = (change.notBefore.getTime() - Date.now()) / 1_000
        throw new Problem('USERNAME_CHANGE_LIMIT', { retryAfterSeconds })
      }
      deps.wakeRelay()
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

    async exportMyData(ctx: AuthenticatedContext): Promise<DataExport> {
      const { userId } = ctx.actor
      await limiter.take(exports, userId)
      const [{ profile, settings }, sessions] = await Promise.all([own(ctx), profiles.exportSessions(userId)])
      // Last: what is opened is read, whatever else fails.
      const [friends, rooms, notifications] = await Promise.all([
        neighbours.friends(ctx),
        neighbours.rooms(ctx),
        neighbours.notifications(ctx),
      ])
      const parts = { friends, rooms, notifications }
      return { exportedAt: new Date(), profile, settings, sessions, parts }
    },
  }
}

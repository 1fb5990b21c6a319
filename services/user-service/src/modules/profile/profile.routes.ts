import {
  changeUsername,
  chosenPicture,
  getMyProfile,
  getMySettings,
  type OwnProfile,
  type UserSettings,
  updateMyProfile,
  updateMySettings,
} from '@bigtech/contracts'
import { route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import { e164 } from './phone.ts'
import type { ProfileService } from './profile.service.ts'
import type { Profile, Settings } from './profile.ts'

export async function profileRoutes(
  app: FastifyInstance,
  { profiles }: { profiles: ProfileService },
): Promise<void> {
  route(app, getMyProfile, async (_input, ctx) => {
    const [profile, storage] = await Promise.all([profiles.getMyProfile(ctx), profiles.getMyStorage(ctx)])
    return { ...profileBody(profile), storage }
  })

  route(app, updateMyProfile, async ({ body }, ctx) =>
    profileBody(
      await profiles.updateMyProfile(ctx, {
        displayName: body.display_name,
        statusMessage: body.status_message,
        pictureFileId: chosenPicture(body.profile_image_file_id, body.profile_image_url),
        age: body.age,
        phone: body.phone && e164(body.phone, 'phone'),
      }),
    ),
  )

  route(app, changeUsername, async ({ body }, ctx) =>
    profileBody(await profiles.changeUsername(ctx, body.username)),
  )

  route(app, getMySettings, async (_input, ctx) => settingsBody(await profiles.getMySettings(ctx)))

  route(app, updateMySettings, async ({ body }, ctx) =>
    settingsBody(
      await profiles.updateMySettings(ctx, {
        presenceVisibility: body.presence_visibility,
        findableByName: body.findable_by_name,
        findableByEmail: body.findable_by_email,
        locale: body.locale,
      }),
    ),
  )
}

export function profileBody(profile: Profile): OwnProfile {
  return {
    id: profile.userId,
    user_id: profile.userId,
    email: profile.email,
    email_verified: profile.emailVerified,
    username: profile.username,
    display_name: profile.displayName,
    status_message: profile.statusMessage,
    profile_image_url: profile.profileImageUrl,
    age: profile.age,
    phone: profile.phone,
    role: profile.role,
    created_at: profile.createdAt.toISOString(),
  }
}

export function settingsBody(settings: Settings): UserSettings {
  return {
    presence_visibility: settings.presenceVisibility,
    findable_by_name: settings.findableByName,
    findable_by_email: settings.findableByEmail,
    locale: settings.locale,
  }
}

import {
  exportMyData,
  getMyProfile,
  getMySettings,
  type OwnProfile,
  type UserSettings,
  updateMyProfile,
  updateMySettings,
} from '@bigtech/contracts'
import { route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import type { DataExport, ExportPart, ProfileService } from './profile.service.ts'
import type { Profile, Settings } from './profile.ts'

export async function profileRoutes(
  app: FastifyInstance,
  { profiles }: { profiles: ProfileService },
): Promise<void> {
  route(app, getMyProfile, async (_input, ctx) => profileBody(await profiles.getMyProfile(ctx)))

  route(app, updateMyProfile, async ({ body }, ctx) =>
    profileBody(
      await profiles.updateMyProfile(ctx, {
        displayName: body.display_name,
        statusMessage: body.status_message,
        profileImageUrl: body.profile_image_url,
      }),
    ),
  )

  route(app, getMySettings, async (_input, ctx) => settingsBody(await profiles.getMySettings(ctx)))

  route(app, updateMySettings, async ({ body }, ctx) =>
    settingsBody(
      await profiles.updateMySettings(ctx, {
        presenceVisibility: body.presence_visibility,
        findableByEmail: body.findable_by_email,
        locale: body.locale,
      }),
    ),
  )

  route(app, exportMyData, async (_input, ctx, { reply }) => {
    reply.header('content-disposition', `attachment; filename="bigtech-chat-${ctx.actor.userId}.json"`)
    reply.header('cache-control', 'no-store')
    return exportBody(await profiles.exportMyData(ctx))
  })
}

function profileBody(profile: Profile): OwnProfile {
  return {
    id: profile.userId,
    user_id: profile.userId,
    email: profile.email,
    username: profile.username,
    display_name: profile.displayName,
    status_message: profile.statusMessage,
    profile_image_url: profile.profileImageUrl,
    created_at: profile.createdAt.toISOString(),
  }
}

function settingsBody(settings: Settings): UserSettings {
  return {
    presence_visibility: settings.presenceVisibility,
    findable_by_email: settings.findableByEmail,
    locale: settings.locale,
  }
}

function exportBody({ exportedAt, profile, settings, sessions, friends, rooms }: DataExport) {
  const note = (name: string, part: ExportPart) => ('missing' in part ? [`${name}: ${part.missing}`] : [])
  const data = (part: ExportPart) => ('data' in part ? part.data : null)
  return {
    exported_at: exportedAt.toISOString(),
    profile: profileBody(profile),
    settings: settingsBody(settings),
    sessions: sessions.map((session) => ({
      device: session.device,
      ip_prefix: session.ipPrefix,
      created_at: session.createdAt.toISOString(),
      last_seen_at: session.lastSeenAt.toISOString(),
      ended_at: session.endedAt?.toISOString() ?? null,
    })),
    friends: data(friends),
    rooms: data(rooms),
    notes: [...note('friends', friends), ...note('rooms', rooms)],
  }
}

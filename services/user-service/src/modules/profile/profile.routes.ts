import { Readable } from 'node:stream'
import {
  changeUsername,
  chosenPicture,
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
import type { DataExport, ProfileService } from './profile.service.ts'
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
        pictureFileId: chosenPicture(body.profile_image_file_id, body.profile_image_url),
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

  route(app, exportMyData, async (_input, ctx, { reply }) => {
    reply.header('content-disposition', `attachment; filename="bigtech-chat-${ctx.actor.userId}.json"`)
    const data = await profiles.exportMyData(ctx)
    reply.type('application/json; charset=utf-8')
    // Piece by piece: some people have said more than a process should hold.
    return Readable.from(archive(data), { objectMode: false }) as never
  })
}

function profileBody(profile: Profile): OwnProfile {
  return {
    id: profile.userId,
    user_id: profile.userId,
    email: profile.email,
    email_verified: profile.emailVerified,
    username: profile.username,
    display_name: profile.displayName,
    status_message: profile.statusMessage,
    profile_image_url: profile.profileImageUrl,
    role: profile.role,
    created_at: profile.createdAt.toISOString(),
  }
}

function settingsBody(settings: Settings): UserSettings {
  return {
    presence_visibility: settings.presenceVisibility,
    findable_by_name: settings.findableByName,
    findable_by_email: settings.findableByEmail,
    locale: settings.locale,
  }
}

/** Returns a data export as one JSON document. When a part breaks off, so does the whole. */
export async function* archive({ parts, ...own }: DataExport): AsyncGenerator<Uint8Array> {
  const text = (part: string) => new TextEncoder().encode(part)
  const notes: string[] = []
  try {
    yield text(JSON.stringify(ownBody(own)).slice(0, -1))
    for (const [name, part] of Object.entries(parts)) {
      yield text(`,"${name}":`)
      if ('body' in part) yield* part.body
      else {
        notes.push(`${name}: ${part.missing}`)
        yield text('null')
      }
    }
    yield text(`,"notes":${JSON.stringify(notes)}}`)
  } finally {
    for (const part of Object.values(parts)) if ('body' in part) part.body.destroy()
  }
}

function ownBody({ exportedAt, profile, settings, sessions, activities }: Omit<DataExport, 'parts'>) {
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
    activities: activities.map((activity) => ({
      type: activity.type,
      data: JSON.parse(activity.data) as Record<string, unknown>,
      device: activity.device,
      ip_prefix: activity.ipPrefix,
      created_at: activity.createdAt.toISOString(),
    })),
  }
}

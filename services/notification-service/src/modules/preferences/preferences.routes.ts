import {
  getNotificationPreferences,
  type NotificationPreferences,
  putNotificationPreferences,
} from '@bigtech/contracts'
import { route } from '@bigtech/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { PreferencesRepository } from './preferences.repository.ts'
import type { Preferences } from './preferences.ts'

export const preferencesRoutes: FastifyPluginAsync<{ preferences: PreferencesRepository }> = async (
  app,
  { preferences },
) => {
  route(app, getNotificationPreferences, async (_input, ctx) =>
    preferencesView(await preferences.find(ctx.actor.userId)),
  )
  route(app, putNotificationPreferences, async ({ body }, ctx) => {
    await preferences.put(ctx.actor.userId, fromView(body))
    return body
  })
}

/** Returns preferences in the API format. */
export function preferencesView(preferences: Preferences): NotificationPreferences {
  const { quietHours } = preferences
  return {
    message_push: preferences.messagePush,
    friend_request_push: preferences.friendRequestPush,
    mentions_when_muted: preferences.mentionsWhenMuted,
    show_preview: preferences.showPreview,
    quiet_hours: quietHours && {
      start: quietHours.start,
      end: quietHours.end,
      time_zone: quietHours.timeZone,
    },
  }
}

function fromView(view: NotificationPreferences): Preferences {
  const quiet = view.quiet_hours
  return {
    messagePush: view.message_push,
    friendRequestPush: view.friend_request_push,
    mentionsWhenMuted: view.mentions_when_muted,
    showPreview: view.show_preview,
    quietHours: quiet && { start: quiet.start, end: quiet.end, timeZone: quiet.time_zone },
  }
}

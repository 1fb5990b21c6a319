import type { QuietHours } from './quiet-hours.ts'

/** A user's notification preferences. */
export interface Preferences {
  readonly messagePush: boolean
  readonly friendRequestPush: boolean
  readonly mentionsWhenMuted: boolean
  readonly showPreview: boolean
  readonly quietHours: QuietHours | null
}

/** A member's mute settings of a room. */
export interface Muting {
  readonly muted: boolean
  /** Null: until unmuted. */
  readonly mutedUntil: Date | null
}

/** Returns whether a member wants a notification for a message; checked at planning and before sending. */
export function wantsMessage(own: Preferences, room: Muting, mentioned: boolean, now: number): boolean {
  if (!own.messagePush) return false
  const isMuted = room.muted && (room.mutedUntil === null || room.mutedUntil.getTime() > now)
  return !isMuted || (own.mentionsWhenMuted && mentioned)
}

/** Defaults of users without stored preferences. */
export const defaultPreferences: Preferences = {
  messagePush: true,
  friendRequestPush: true,
  mentionsWhenMuted: true,
  showPreview: true,
  quietHours: null,
}

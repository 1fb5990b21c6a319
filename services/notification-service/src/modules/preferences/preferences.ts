import type { QuietHours } from './quiet-hours.ts'

/** What somebody wants to be told, and when. */
export interface Preferences {
  readonly messagePush: boolean
  readonly friendRequestPush: boolean
  readonly mentionsWhenMuted: boolean
  readonly showPreview: boolean
  readonly quietHours: QuietHours | null
}

/** How a member has a room set. */
export interface Muting {
  readonly muted: boolean
  /** Null: until it is undone. */
  readonly mutedUntil: Date | null
}

/** Whether a member wants to be told of a message in a room: asked when it comes, and when the push is due. */
export function wantsMessage(own: Preferences, room: Muting, mentioned: boolean, now: number): boolean {
  if (!own.messagePush) return false
  const isMuted = room.muted && (room.mutedUntil === null || room.mutedUntil.getTime() > now)
  return !isMuted || (own.mentionsWhenMuted && mentioned)
}

/** Of everybody who has not chosen otherwise. */
export const defaultPreferences: Preferences = {
  messagePush: true,
  friendRequestPush: true,
  mentionsWhenMuted: true,
  showPreview: true,
  quietHours: null,
}

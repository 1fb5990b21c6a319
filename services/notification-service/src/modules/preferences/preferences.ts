import type { QuietHours } from './quiet-hours.ts'

/** What somebody wants to be told, and when. */
export interface Preferences {
  readonly messagePush: boolean
  readonly friendRequestPush: boolean
  readonly mentionsWhenMuted: boolean
  readonly showPreview: boolean
  readonly quietHours: QuietHours | null
}

/** Of everybody who has not chosen otherwise. */
export const defaultPreferences: Preferences = {
  messagePush: true,
  friendRequestPush: true,
  mentionsWhenMuted: true,
  showPreview: true,
  quietHours: null,
}

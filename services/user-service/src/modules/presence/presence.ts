export type PresenceVisibility = 'everyone' | 'friends' | 'nobody'

export interface PresenceTiming {
  /** How long one sign of life counts. */
  readonly ttlMs: number
  /** How long after the last device has gone one still counts as online: a page that reloads. */
  readonly graceMs: number
}

export const presenceTiming: PresenceTiming = { ttlMs: 60_000, graceMs: 15_000 }

/** What decides whether one user may see the presence of another. */
export interface Relation {
  readonly isSelf: boolean
  readonly friends: boolean
  /** In either direction. */
  readonly blocked: boolean
  readonly viewerVisibility: PresenceVisibility
  readonly ownerVisibility: PresenceVisibility
}

/** Reciprocal: whoever hides their presence from somebody does not see that person's either. */
export function maySeePresence(relation: Relation): boolean {
  const { isSelf, friends, blocked, viewerVisibility, ownerVisibility } = relation
  if (isSelf) return true
  if (blocked) return false
  return shows(ownerVisibility, friends) && shows(viewerVisibility, friends)
}

function shows(visibility: PresenceVisibility, friends: boolean): boolean {
  return visibility === 'everyone' || (visibility === 'friends' && friends)
}

/** A user's presence as somebody else gets it. */
export interface PresenceView {
  readonly userId: number
  readonly online: boolean | null
  readonly lastSeenAt: Date | null
}

/** Somebody came online or went offline; waits to be published. */
export interface PresenceChange {
  /** Position in the stream of changes. */
  readonly id: string
  readonly userId: number
  readonly online: boolean
  readonly lastSeenAt: Date
}

/** A device or process that vouches for a user. */
export const sources = {
  session: (sessionId: string) => `session:${sessionId}`,
  streams: (instanceId: string) => `streams:${instanceId}`,
}

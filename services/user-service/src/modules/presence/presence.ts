export type PresenceVisibility = 'everyone' | 'friends' | 'nobody'

export interface PresenceTiming {
  /** Validity of one sign of life. */
  readonly ttlMs: number
  /** Grace period after the last device has signed off, for page reloads. */
  readonly graceMs: number
}

export const presenceTiming: PresenceTiming = { ttlMs: 60_000, graceMs: 15_000 }

/** The data that determines whether one user may see the presence of another. */
export interface Relation {
  readonly isSelf: boolean
  readonly friends: boolean
  /** In either direction. */
  readonly blocked: boolean
  /** In either direction. */
  readonly restricted: boolean
  readonly viewerVisibility: PresenceVisibility
  readonly ownerVisibility: PresenceVisibility
}

/** Returns whether presence is visible. Reciprocal: users who hide it from someone cannot see that user's presence. */
export function maySeePresence(relation: Relation): boolean {
  const { isSelf, friends, blocked, restricted, viewerVisibility, ownerVisibility } = relation
  if (isSelf) return true
  if (blocked || restricted) return false
  return shows(ownerVisibility, friends) && shows(viewerVisibility, friends)
}

function shows(visibility: PresenceVisibility, friends: boolean): boolean {
  return visibility === 'everyone' || (visibility === 'friends' && friends)
}

/** A user's presence as shown to another user. */
export interface PresenceView {
  readonly userId: number
  readonly online: boolean | null
  readonly lastSeenAt: Date | null
}

/** An unpublished online or offline transition. */
export interface PresenceChange {
  /** Position in the stream of transitions. */
  readonly id: string
  readonly userId: number
  readonly online: boolean
  readonly lastSeenAt: Date
}

/** Sources of presence: a device or a process. */
export const sources = {
  session: (sessionId: string) => `session:${sessionId}`,
  streams: (instanceId: string) => `streams:${instanceId}`,
}

import type { ReportedMessage, UserRole } from '@bigtech/contracts'
import { userRoles } from '@bigtech/contracts'

export type ModerationAction = 'dismiss' | 'warn' | 'mute' | 'suspend' | 'lift'

/** The end of a mute or suspension that lasts until it is lifted. */
export const FOREVER = new Date('9999-12-31T00:00:00.000Z')

export interface NewReport {
  readonly reporterId: number
  readonly targetId: number
  readonly roomId: number | null
  readonly messageId: string | null
  readonly reason: string
  readonly comment: string | null
  readonly context: readonly ReportedMessage[]
}

export interface Person {
  readonly userId: number
  readonly username: string
  readonly displayName: string
}

export interface ReportSummary {
  readonly id: number
  readonly kind: 'user' | 'message'
  readonly reason: string
  readonly target: Person
  readonly reporter: Person
  readonly createdAt: Date
  readonly closedAt: Date | null
  readonly openReports: number
}

export interface ReportDetail extends ReportSummary {
  readonly comment: string | null
  readonly roomId: number | null
  readonly context: readonly ReportedMessage[]
  readonly restrictions: Restrictions
  readonly decisions: readonly Decision[]
}

export interface Decision {
  readonly id: number
  readonly reportId: number
  readonly userId: number
  readonly moderatorId: number
  readonly action: ModerationAction
  readonly note: string | null
  readonly message: string | null
  readonly until: Date | null
  readonly createdAt: Date
  readonly acknowledgedAt: Date | null
}

/** What holds for a user: until when; null when it does not hold. */
export interface Restrictions {
  readonly mutedUntil: Date | null
  readonly suspendedUntil: Date | null
}

/** Returns what holds after a decision. A later mute or suspension replaces the one before it. */
export function restrict(before: Restrictions, action: ModerationAction, until: Date): Restrictions {
  if (action === 'lift') return { mutedUntil: null, suspendedUntil: null }
  if (action === 'mute') return { ...before, mutedUntil: until }
  if (action === 'suspend') return { ...before, suspendedUntil: until }
  return before
}

/** Nobody decides about themselves, nor about whoever has as much to say as they have. */
export function mayDecide(
  moderator: { userId: number; role: UserRole },
  target: { userId: number; role: UserRole },
): boolean {
  if (moderator.userId === target.userId) return false
  return target.role === 'user' || userRoles.indexOf(moderator.role) > userRoles.indexOf(target.role)
}

/** A time that has not come yet, else null. */
export function ahead(time: Date | null, now: Date): Date | null {
  return time !== null && time > now ? time : null
}

import type { ReportedMessage, UserRole } from '@bigtech/contracts'
import { userRoles } from '@bigtech/contracts'

export type ModerationAction = 'dismiss' | 'warn' | 'mute' | 'suspend' | 'lift'

/** The end of a mute or suspension without an end. */
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

/** The restrictions of a user with their ends; null when not in force. */
export interface Restrictions {
  readonly mutedUntil: Date | null
  readonly suspendedUntil: Date | null
}

/** Returns the restrictions after a decision. A later mute or suspension replaces the previous one. */
export function restrict(before: Restrictions, action: ModerationAction, until: Date): Restrictions {
  if (action === 'lift') return { mutedUntil: null, suspendedUntil: null }
  if (action === 'mute') return { ...before, mutedUntil: until }
  if (action === 'suspend') return { ...before, suspendedUntil: until }
  return before
}

/** Returns whether the actor may decide about the target: never about themselves or an equal or higher role. */
export function mayDecide(
  moderator: { userId: number; role: UserRole },
  target: { userId: number; role: UserRole },
): boolean {
  if (moderator.userId === target.userId) return false
  return target.role === 'user' || userRoles.indexOf(moderator.role) > userRoles.indexOf(target.role)
}

/** Returns a time in the future, otherwise null. */
export function ahead(time: Date | null, now: Date): Date | null {
  return time !== null && time > now ? time : null
}

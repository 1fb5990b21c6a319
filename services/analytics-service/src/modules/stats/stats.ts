/** What an event adds to which figure. Pure. Days and hours are those of UTC. */

const totalNames = [
  'sign_ups',
  'accounts_deleted',
  'logins',
  'messages',
  'rooms_created',
  'friend_requests',
  'friend_requests_accepted',
  'friend_requests_rejected',
  'friend_requests_converted',
  'blocks',
] as const
export type TotalName = (typeof totalNames)[number]

export interface Effect {
  readonly total?: TotalName
  /** Who was active by it. */
  readonly activeUserId?: number
  /** Who was online: active as well, but unknown to a rebuild. */
  readonly onlineUserId?: number
  /** The friend request that was sent, or accepted. */
  readonly requestSent?: number
  readonly requestAccepted?: number
  /** Where a message was written. */
  readonly roomId?: number
  /** Whose traces must go. */
  readonly eraseUserId?: number
}

/** `friend_requests_converted` goes into the rate alone: the figure that people read is the one of the event's day. */
export interface Totals extends Readonly<Record<Exclude<TotalName, 'friend_requests_converted'>, number>> {
  readonly active_users: number
  /** The share of the requests sent in this time that have been accepted, be it later; null when none was sent. */
  readonly friend_acceptance_rate: number | null
}

const HOUR_MS = 60 * 60 * 1_000
const DAY_MS = 24 * HOUR_MS

/** Midnight of the day that the moment is in. */
export function dayOf(moment: Date): Date {
  return new Date(Math.floor(moment.getTime() / DAY_MS) * DAY_MS)
}

/** The full hour that the moment is in. */
export function hourOf(moment: Date): Date {
  return new Date(Math.floor(moment.getTime() / HOUR_MS) * HOUR_MS)
}

/** The days from the first to the last, both included. */
export function daysBetween(from: Date, to: Date): Date[] {
  const days: Date[] = []
  for (let day = from.getTime(); day <= to.getTime(); day += DAY_MS) days.push(new Date(day))
  return days
}

/** `2026-01-27` */
export function isoDay(day: Date): string {
  return day.toISOString().slice(0, 10)
}

export function addDays(day: Date, count: number): Date {
  return new Date(day.getTime() + count * DAY_MS)
}

/** Sums by name, with nothing missing. */
export function totalsOf(sums: ReadonlyMap<string, number>, activeUsers: number): Totals {
  const counted = Object.fromEntries(totalNames.map((name) => [name, sums.get(name) ?? 0])) as Record<
    TotalName,
    number
  >
  const { friend_requests_converted: converted, ...shown } = counted
  const sent = counted.friend_requests
  return {
    ...shown,
    active_users: activeUsers,
    friend_acceptance_rate: sent === 0 ? null : Math.round((converted / sent) * 10_000) / 10_000,
  }
}

/**
 * The first day that topics kept for `retentionMs` hold as a whole. Earlier days cannot be
 * rebuilt from them and must be left as they are.
 */
export function firstCoveredDay(now: Date, retentionMs: number): Date {
  return new Date(Math.ceil((now.getTime() - retentionMs) / DAY_MS) * DAY_MS)
}

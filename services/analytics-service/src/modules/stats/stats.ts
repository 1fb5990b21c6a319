/** The effect of events on figures. Pure. Days and hours are in UTC. */

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
  /** The user who was active. */
  readonly activeUserId?: number
  /** The user who was online: active as well, but unknown to a rebuild. */
  readonly onlineUserId?: number
  /** The friend request that was sent or accepted. */
  readonly requestSent?: number
  readonly requestAccepted?: number
  /** The room of a message. */
  readonly roomId?: number
  /** The user to be erased. */
  readonly eraseUserId?: number
}

/** An event with its effect. */
export interface CountedEvent {
  readonly eventId: string
  readonly at: Date
  readonly effect: Effect
}

/** `friend_requests_converted` is used only for the rate; the published figure counts by the event's day. */
export interface Totals extends Readonly<Record<Exclude<TotalName, 'friend_requests_converted'>, number>> {
  readonly active_users: number
  /** Share of the requests sent in this period that were accepted, at any time; null when none was sent. */
  readonly friend_acceptance_rate: number | null
}

const HOUR_MS = 60 * 60 * 1_000
const DAY_MS = 24 * HOUR_MS

/** Returns the midnight (UTC) of a time's day. */
export function dayOf(moment: Date): Date {
  return new Date(Math.floor(moment.getTime() / DAY_MS) * DAY_MS)
}

/** Returns the start of a time's hour. */
export function hourOf(moment: Date): Date {
  return new Date(Math.floor(moment.getTime() / HOUR_MS) * HOUR_MS)
}

/** Returns the days of a range, both ends included. */
export function daysBetween(from: Date, to: Date): Date[] {
  const days: Date[] = []
  for (let day = from.getTime(); day <= to.getTime(); day += DAY_MS) days.push(new Date(day))
  return days
}

/** Returns the date, for example `2026-01-27`. */
export function isoDay(day: Date): string {
  return day.toISOString().slice(0, 10)
}

export function addDays(day: Date, count: number): Date {
  return new Date(day.getTime() + count * DAY_MS)
}

/** Returns totals by name, with 0 for missing ones. */
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
 * Returns the first day that topics with this retention cover completely. Earlier days cannot be rebuilt and
 * must stay unchanged.
 */
export function firstCoveredDay(now: Date, retentionMs: number): Date {
  return new Date(Math.ceil((now.getTime() - retentionMs) / DAY_MS) * DAY_MS)
}

/** A daily interval in a user's time zone; may cross midnight. */
export interface QuietHours {
  /** HH:MM. */
  readonly start: string
  readonly end: string
  readonly timeZone: string
}

const MINUTES_A_DAY = 24 * 60
const MINUTE_MS = 60_000

/**
 * Returns the end of the quiet hours containing `now`; undefined outside them. Off by the shift when clocks
 * change in between, so callers must check again.
 */
export function quietUntil(quiet: QuietHours | null, now: number): number | undefined {
  if (!quiet) return undefined
  const start = minutesOf(quiet.start)
  const end = minutesOf(quiet.end)
  const current = localMinutes(now, quiet.timeZone)
  const length = (end - start + MINUTES_A_DAY) % MINUTES_A_DAY
  const elapsed = (current - start + MINUTES_A_DAY) % MINUTES_A_DAY
  if (elapsed >= length) return undefined
  const wholeMinute = Math.floor(now / MINUTE_MS) * MINUTE_MS
  return wholeMinute + (length - elapsed) * MINUTE_MS
}

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(':').map(Number) as [number, number]
  return hours * 60 + minutes
}

const formats = new Map<string, Intl.DateTimeFormat>()

function localMinutes(now: number, timeZone: string): number {
  let format = formats.get(timeZone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
    formats.set(timeZone, format)
  }
  return minutesOf(format.format(now))
}

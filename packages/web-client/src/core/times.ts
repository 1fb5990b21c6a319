import { type Language, t } from '../i18n/index.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

function format(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options)
  const known = formats.get(key)
  if (known) return known
  const made = new Intl.DateTimeFormat(language, options)
  formats.set(key, made)
  return made
}

/** Formats a time of day, for example `오후 2:05`, `2:05 PM`. */
export function clock(iso: string, language: Language): string {
  return format(language, { hour: 'numeric', minute: '2-digit' }).format(new Date(iso))
}

/** Formats the time for today, otherwise the date. */
export function shortTime(iso: string, language: Language): string {
  const time = new Date(iso)
  if (time.toDateString() === new Date().toDateString()) return clock(iso, language)
  const isThisYear = time.getFullYear() === new Date().getFullYear()
  const year = isThisYear ? {} : ({ year: 'numeric' } as const)
  return format(language, { month: 'short', day: 'numeric', ...year }).format(time)
}

/** Formats a date, for example `2026년 1월 27일 화요일`. */
export function longDay(iso: string, language: Language): string {
  return format(language, { year: 'numeric', month: 'long', day: 'numeric', weekday: 'long' }).format(
    new Date(iso),
  )
}

export function dateAndTime(iso: string, language: Language): string {
  return format(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso))
}

/** Formats a relative time, for example `3 minutes ago`. */
export function ago(iso: string, language: Language): string {
  const seconds = Math.round((Date.parse(iso) - Date.now()) / 1_000)
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  if (seconds > -60) return t('time.now')
  if (seconds > -3_600) return relative.format(Math.round(seconds / 60), 'minute')
  if (seconds > -86_400) return relative.format(Math.round(seconds / 3_600), 'hour')
  return relative.format(Math.round(seconds / 86_400), 'day')
}

export function isSameDay(a: string, b: string): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString()
}

export function isSameMinute(a: string, b: string): boolean {
  return a.slice(0, 16) === b.slice(0, 16)
}

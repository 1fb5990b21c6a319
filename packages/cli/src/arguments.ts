import { CommandError } from '@bigtech/service-kit'

/** Parses a time. @throws CommandError for invalid text */
export function parseTime(text: string): Date {
  const time = new Date(text)
  if (Number.isNaN(time.getTime()))
    throw new CommandError(`"${text}" is not a time such as 2026-01-27T10:00:00Z.`, 2)
  return time
}

/** Parses a positive whole number. @throws CommandError for invalid text */
export function parseCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1)
    throw new CommandError(`"${text}" is not a positive whole number.`, 2)
  return count
}

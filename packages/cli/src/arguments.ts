import { CommandError } from '@bigtech/service-kit'

/** @throws CommandError when the text is not a time. */
export function parseTime(text: string): Date {
  const time = new Date(text)
  if (Number.isNaN(time.getTime()))
    throw new CommandError(`"${text}" is not a time such as 2026-01-27T10:00:00Z.`, 2)
  return time
}

/** @throws CommandError when the text is not a whole number above 0. */
export function parseCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1) throw new CommandError(`"${text}" is not a number above 0.`, 2)
  return count
}

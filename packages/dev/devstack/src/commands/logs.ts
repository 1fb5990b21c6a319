import { createReadStream, existsSync, readdirSync, statSync, watchFile } from 'node:fs'
import { basename } from 'node:path'
import type { Args } from '../args.ts'
import { openInstance } from '../instance.ts'
import { formatLine, lineSplitter, logFile } from '../logs.ts'
import { UserError } from '../problems.ts'
import { onShutdown } from '../shutdown.ts'

/** Amount of existing log to print. */
const TAIL_BYTES = 16 * 1024
const LOOK_EVERY_MS = 250

/** Prints the end of a process's log in readable form and follows it until Ctrl-C. */
export async function logs(args: Args): Promise<number> {
  const { logFolder } = openInstance(args.instance)
  const [name = ''] = args.rest
  const file = logFile(logFolder, name)
  if (!name || !existsSync(file)) {
    const known = existsSync(logFolder)
      ? readdirSync(logFolder).filter((entry) => entry.endsWith('.log'))
      : []
    const names = known.map((entry) => basename(entry, '.log')).join(', ')
    throw new UserError(
      names ? `Name one of: ${names}.` : `Nothing of the instance "${args.instance}" has run yet.`,
    )
  }
  const take = lineSplitter((line) => console.log(formatLine(name, line)))
  const { size } = statSync(file)
  let read = await copy(file, Math.max(0, size - TAIL_BYTES), take, size > TAIL_BYTES)
  let isReading = false
  watchFile(file, { interval: LOOK_EVERY_MS }, async (now) => {
    if (isReading) return
    isReading = true
    // The log was rotated.
    if (now.size < read) read = 0
    read = await copy(file, read, take)
    isReading = false
  })
  await new Promise<void>((resolve) => onShutdown(async () => resolve()))
  return 0
}

/** Copies up to the end and returns that position. `isCut`: the first line is incomplete. */
async function copy(
  file: string,
  start: number,
  take: (chunk: Buffer) => void,
  isCut = false,
): Promise<number> {
  let at = start
  let isWhole = !isCut
  for await (const chunk of createReadStream(file, { start }) as AsyncIterable<Buffer>) {
    at += chunk.length
    const from = isWhole ? 0 : chunk.indexOf(10) + 1
    isWhole = isWhole || from > 0
    if (isWhole) take(chunk.subarray(from))
  }
  return at
}

import { join } from 'node:path'
import { type DestinationStream, pino } from 'pino'

export interface LogFilesOptions {
  readonly service: string
  /** Created when missing. */
  readonly folder: string
  /** Number of days kept, not counting today. */
  readonly days: number
  /** Rotation interval in milliseconds, for tests; default one day. */
  readonly everyMs?: number
}

/** Opens a stream that writes each line to stdout and to a daily file: `<service>.<date>.<number>.log`. */
export async function openLogFiles(
  options: LogFilesOptions,
  stdout: DestinationStream,
): Promise<DestinationStream> {
  const { service, folder, days, everyMs } = options
  // Loaded only where it is configured: with its date library it occupies several megabytes.
  const { default: roll } = await import('pino-roll')
  const file = await roll({
    file: join(folder, service),
    extension: '.log',
    frequency: everyMs ?? 'daily',
    dateFormat: 'yyyy-MM-dd',
    limit: { count: days, removeOtherLogFiles: true },
    mkdir: true,
  })
  // The logger already filters by level; a stream would drop everything below `info`.
  return pino.multistream([stdout, file].map((stream) => ({ stream, level: 'trace' as const })))
}

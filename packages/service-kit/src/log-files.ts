import { join } from 'node:path'
import { type DestinationStream, pino } from 'pino'
import roll from 'pino-roll'

export interface LogFilesOptions {
  readonly service: string
  /** Made when it is not there. */
  readonly folder: string
  /** Days that are kept besides today. */
  readonly days: number
  /** Milliseconds of one file, for tests; a day unless told. */
  readonly everyMs?: number
}

/** Writes each line to stdout and to a file of the day: `<service>.<date>.<number>.log`. */
export async function openLogFiles(
  options: LogFilesOptions,
  stdout: DestinationStream,
): Promise<DestinationStream> {
  const { service, folder, days, everyMs } = options
  const file = await roll({
    file: join(folder, service),
    extension: '.log',
    frequency: everyMs ?? 'daily',
    dateFormat: 'yyyy-MM-dd',
    limit: { count: days, removeOtherLogFiles: true },
    mkdir: true,
  })
  // The logger has decided on the level; a stream would drop what is below `info`.
  return pino.multistream([stdout, file].map((stream) => ({ stream, level: 'trace' as const })))
}

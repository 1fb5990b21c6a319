/** The used part of pino-roll; the package has no type definitions. */
declare module 'pino-roll' {
  import type { DestinationStream } from 'pino'

  export default function roll(options: {
    file: string
    extension: string
    frequency: 'daily' | number
    dateFormat: string
    limit: { count: number; removeOtherLogFiles: boolean }
    mkdir: boolean
  }): Promise<DestinationStream>
}

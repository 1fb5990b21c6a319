/** The part of pino-roll that is used; the package brings no types. */
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

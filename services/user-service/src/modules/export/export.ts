/** The rules of data exports, without a store. */

export type ExportState = 'pending' | 'ready' | 'failed'

export interface DataExport {
  readonly id: string
  readonly userId: number
  readonly state: ExportState
  readonly requestedAt: Date
  readonly finishedAt: Date | null
  readonly partsDone: number
  /** Size of the downloaded archive in bytes. */
  readonly size: number
}

/** The parts of an archive in build order. */
export const exportParts = ['account', 'friends', 'rooms', 'notifications', 'files'] as const
export type ExportPart = (typeof exportParts)[number]

const SECOND_MS = 1_000
const DAY_MS = 86_400 * SECOND_MS
/** Lifetime of a ready archive. */
export const EXPORT_LIFETIME_MS = 7 * DAY_MS
const GIVE_UP_AFTER_MS = DAY_MS
const LAST_RETRY_MS = 15 * 60 * SECOND_MS

/** Returns the delay before the next attempt; undefined: give up. */
export function retryDelayMs(attempts: number, requestedAt: Date, now: Date): number | undefined {
  if (now.getTime() - requestedAt.getTime() > GIVE_UP_AFTER_MS) return undefined
  return Math.min(LAST_RETRY_MS, SECOND_MS * 4 ** Math.min(attempts - 1, 10))
}

const HEAD = '{"exported_at":'

/** Returns the text before a part in the archive; the time precedes the first part. */
export function beforePart(part: ExportPart, finishedAt: Date): string {
  return part === exportParts[0] ? `${HEAD}${JSON.stringify(finishedAt.toISOString())},` : ','
}

/** The end of an archive. */
export const ARCHIVE_END = '}'

/** Returns the size in bytes of an archive, given the total size of its parts. */
export function archiveSize(partBytes: number): number {
  const frame = exportParts.map((part) => beforePart(part, new Date(0))).join('') + ARCHIVE_END
  return partBytes + Buffer.byteLength(frame)
}

import type { UnixMs } from '../messages/message.ts'

/** How far one stream got in one room. */
export interface RoomProgress {
  seq: number
  cseq: number
  /** Not before the newest entry of the room that the stream has had. */
  at: UnixMs
}

/**
 * What a stream has had, in a few bytes: everything made before `since`, and in the listed rooms
 * everything up to a position. In a room that is not listed the stream had nothing made later.
 */
export interface Cursor {
  readonly since: UnixMs
  readonly rooms: ReadonlyMap<number, { readonly seq: number; readonly cseq: number }>
}

const VERSION = '1'
const MAX_ROOMS = 1_000
const NUMBER = /^[0-9a-z]{1,11}$/

/** As the `id` of a frame: `1~since~room.seq.cseq~...`, numbers in base 36. */
export function encodeCursor(since: UnixMs, rooms: ReadonlyMap<number, RoomProgress>): string {
  let text = `${VERSION}~${since.toString(36)}`
  for (const [roomId, { seq, cseq }] of rooms) {
    text += `~${roomId.toString(36)}.${seq.toString(36)}.${cseq.toString(36)}`
  }
  return text
}

/** Undefined when it is none of ours. */
export function decodeCursor(text: string): Cursor | undefined {
  const [version, since, ...entries] = text.split('~')
  if (version !== VERSION || since === undefined || !NUMBER.test(since) || entries.length > MAX_ROOMS)
    return undefined
  const rooms = new Map<number, { seq: number; cseq: number }>()
  for (const entry of entries) {
    const parts = entry.split('.')
    if (parts.length !== 3 || !parts.every((part) => NUMBER.test(part))) return undefined
    const [roomId, seq, cseq] = parts.map((part) => Number.parseInt(part, 36)) as [number, number, number]
    if (![roomId, seq, cseq].every(Number.isSafeInteger)) return undefined
    rooms.set(roomId, { seq, cseq })
  }
  const sinceMs = Number.parseInt(since, 36)
  return Number.isSafeInteger(sinceMs) ? { since: sinceMs, rooms } : undefined
}

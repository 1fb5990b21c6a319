import type { StreamFrameData } from '@bigtech/contracts'
import type { UnixMs } from '../messages/message.ts'

/** How far a stream is in one room. */
export interface RoomProgress {
  seq: number
  cseq: number
  /** Not before the newest entry of the room that the stream has delivered. */
  at: UnixMs
}

/**
 * The position of a stream: it has delivered everything created before `since`, and in the listed rooms
 * everything up to a position.
 */
export interface Cursor {
  readonly since: UnixMs
  readonly rooms: ReadonlyMap<number, { readonly seq: number; readonly cseq: number }>
}

const VERSION = '1'
/** The API accepts 8,000 characters: proxies refuse longer headers. */
const MAX_CHARACTERS = 7_900
const NUMBER = /^[0-9a-z]{1,11}$/

/**
 * Encodes a cursor as the `id` of a frame: `1~since~room.seq.cseq~...`, numbers in base 36.
 *
 * Rooms that do not fit are left out, the least recently listed first: after a resume the entries of the last
 * 30 s of those rooms come again. That takes about 500 rooms with new entries within 30 s.
 */
export function encodeCursor(since: UnixMs, rooms: ReadonlyMap<number, Omit<RoomProgress, 'at'>>): string {
  const start = `${VERSION}~${since.toString(36)}`
  let listed = ''
  for (const [roomId, { seq, cseq }] of rooms) {
    listed += `~${roomId.toString(36)}.${seq.toString(36)}.${cseq.toString(36)}`
  }
  const room = MAX_CHARACTERS - start.length
  if (listed.length > room) listed = listed.slice(listed.indexOf('~', listed.length - room))
  return start + listed
}

/** Returns undefined for text that `encodeCursor` does not produce. */
export function decodeCursor(text: string): Cursor | undefined {
  if (text.length > MAX_CHARACTERS) return undefined
  const [version, since, ...entries] = text.split('~')
  if (version !== VERSION || since === undefined || !NUMBER.test(since)) return undefined
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

interface IdKey {
  readonly since: UnixMs
  readonly roomId: number
  readonly seq: number
  readonly cseq: number
}

/** Most streams of a busy room have no other recent room, so that one after the other needs the same line. */
let lastIdLine: { readonly key: IdKey; readonly line: Buffer } | undefined

const sameKey = (a: IdKey, b: IdKey) =>
  a.seq === b.seq && a.cseq === b.cseq && a.roomId === b.roomId && a.since === b.since

/** The cursor of an open stream as it moves. */
export class StreamCursor {
  /** Rooms that delivered something created after `since`, or that are being replayed. */
  readonly #rooms = new Map<number, RoomProgress>()
  #since: UnixMs = 0

  get since(): UnixMs {
    return this.#since
  }

  /** The heads of the rooms that were active lately. */
  get heads(): StreamFrameData<'heartbeat'>['heads'] {
    return [...this.#rooms].map(([room_id, { seq, cseq }]) => ({ room_id, seq, cseq }))
  }

  start(since: UnixMs): void {
    this.#since = since
  }

  set(roomId: number, progress: RoomProgress): void {
    this.#rooms.set(roomId, progress)
  }

  /** Moves on in a room after a delivery. */
  move(roomId: number, { seq, cseq, at }: Readonly<RoomProgress>): void {
    const room = this.#rooms.get(roomId)
    if (room) {
      room.seq = seq
      room.cseq = cseq
      if (room.at < at) room.at = at
    } else this.#rooms.set(roomId, { seq, cseq, at })
  }

  forget(roomId: number): void {
    this.#rooms.delete(roomId)
  }

  /** Everything created before `since` was delivered: rooms that were quiet from then on leave the list. */
  advance(since: UnixMs): void {
    if (since <= this.#since) return
    this.#since = since
    for (const [roomId, { at }] of this.#rooms) if (at < since) this.#rooms.delete(roomId)
  }

  /** The `id:` line of the next SSE block. */
  idLine(): Buffer {
    const [only] = this.#rooms
    if (this.#rooms.size !== 1 || !only) return this.#encode()
    const [roomId, { seq, cseq }] = only
    const key = { since: this.#since, roomId, seq, cseq }
    if (lastIdLine && sameKey(lastIdLine.key, key)) return lastIdLine.line
    const line = this.#encode()
    lastIdLine = { key, line }
    return line
  }

  #encode(): Buffer {
    return Buffer.from(`id: ${encodeCursor(this.#since, this.#rooms)}\n`, 'latin1')
  }
}

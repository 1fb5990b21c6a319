import type { StreamFrameData } from '@bigtech/contracts'
import type { ListVersions } from '../contacts/prisma-list-versions.ts'
import type { UnixMs } from '../messages/message.ts'

/** The progress of a stream in one room. */
export interface RoomProgress {
  seq: number
  cseq: number
  /** Not before the newest entry of the room delivered by the stream. */
  at: UnixMs
}

/**
 * The position of a stream: everything created before `since`, and in the listed rooms everything up to a
 * position, was delivered. The client was notified of list changes up to these versions.
 */
export interface Cursor {
  readonly lists: ListVersions
  readonly since: UnixMs
  readonly rooms: ReadonlyMap<number, { readonly seq: number; readonly cseq: number }>
  /** Whether rooms had to be omitted from the list. */
  readonly isTruncated: boolean
}

const VERSION = '2'
/** The API accepts 8,000 characters, because proxies reject longer headers. */
const MAX_CHARACTERS = 8_000
const MAX_POSITION_CHARACTERS = 7_950
const TRUNCATED = '+'
const NUMBER = /^[0-9a-z]{1,11}$/

/**
 * Encodes a cursor as the `id` of a frame: `2~friends.rooms~since~room.seq.cseq~...`, numbers in base 36.
 *
 * Omits the least recently listed rooms that do not fit, marked by `+` in place of the first one: after a
 * resume their entries of the last 30 s are delivered again. That takes about 500 rooms with new entries
 * within 30 s.
 */
export function encodeCursor({ lists, since, rooms }: Omit<Cursor, 'isTruncated'>): string {
  return `${encodeLists(lists)}${encodePosition(since, rooms)}`
}

/** The user-specific part of a cursor. */
function encodeLists({ friends, rooms }: ListVersions): string {
  return `${VERSION}~${friends.toString(36)}.${rooms.toString(36)}~`
}

/** The part of a cursor that several streams may share. */
function encodePosition(since: UnixMs, rooms: Cursor['rooms']): string {
  const start = since.toString(36)
  let listed = ''
  for (const [roomId, { seq, cseq }] of rooms) {
    listed += `~${roomId.toString(36)}.${seq.toString(36)}.${cseq.toString(36)}`
  }
  const room = MAX_POSITION_CHARACTERS - start.length
  if (listed.length > room) listed = `~${TRUNCATED}${listed.slice(listed.indexOf('~', listed.length - room))}`
  return start + listed
}

/** Decodes a cursor. Returns undefined for any other text. */
export function decodeCursor(text: string): Cursor | undefined {
  if (text.length > MAX_CHARACTERS) return undefined
  const [version, lists, since, ...entries] = text.split('~')
  if (version !== VERSION) return undefined
  const versions = decodeNumbers(lists, 2)
  const position = decodeNumbers(since, 1)
  if (!versions || !position) return undefined
  const isTruncated = entries[0] === TRUNCATED
  const rooms = new Map<number, { seq: number; cseq: number }>()
  for (const entry of isTruncated ? entries.slice(1) : entries) {
    const numbers = decodeNumbers(entry, 3)
    if (!numbers) return undefined
    rooms.set(numbers[0]!, { seq: numbers[1]!, cseq: numbers[2]! })
  }
  return { lists: { friends: versions[0]!, rooms: versions[1]! }, since: position[0]!, rooms, isTruncated }
}

function decodeNumbers(text: string | undefined, count: number): number[] | undefined {
  const parts = text?.split('.')
  if (parts?.length !== count || !parts.every((part) => NUMBER.test(part))) return undefined
  const numbers = parts.map((part) => Number.parseInt(part, 36))
  return numbers.every(Number.isSafeInteger) ? numbers : undefined
}

interface ListedRoom extends RoomProgress {
  readonly roomId: number
}

const NO_ROOM: ListedRoom = { roomId: 0, seq: 0, cseq: 0, at: 0 }
const NOTHING: Buffer = Buffer.alloc(0)

/** The last position: most streams of a busy room have no other recent room and need the same text. */
const lastPosition = { since: Number.NaN, roomId: 0, seq: 0, cseq: 0, text: NOTHING }
/** The last stamped block: streams of a room with the same list versions get the same bytes. */
const lastStamp = { prefix: NOTHING, position: NOTHING, block: NOTHING, bytes: NOTHING }

const MAX_PREFIXES = 1_000
const prefixes = new Map<string, Buffer>()

/** Returns the beginning of the `id:` line, one buffer for all streams with these versions. */
function prefixOf(lists: ListVersions): Buffer {
  const text = `id: ${encodeLists(lists)}`
  const known = prefixes.get(text)
  if (known) return known
  if (prefixes.size >= MAX_PREFIXES) prefixes.clear()
  // Not from Node's pool: a few bytes would keep 8 KiB of it in memory for as long as a stream is open.
  const prefix = Buffer.alloc(text.length, text, 'latin1')
  prefixes.set(text, prefix)
  return prefix
}

/** The advancing cursor of an open stream. */
export class StreamCursor {
  /** Rooms that delivered an entry created after `since`, or are being replayed. */
  readonly #rooms = new Map<number, ListedRoom>()
  /** The room, if there is one at most. */
  #onlyRoom: ListedRoom | undefined = NO_ROOM
  #since: UnixMs = 0
  #lists: ListVersions = { friends: 0, rooms: 0 }
  #prefix: Buffer = NOTHING

  get since(): UnixMs {
    return this.#since
  }

  /** Returns the heads of recently active rooms. */
  get heads(): StreamFrameData<'heartbeat'>['heads'] {
    return [...this.#rooms].map(([room_id, { seq, cseq }]) => ({ room_id, seq, cseq }))
  }

  get lists(): ListVersions {
    return this.#lists
  }

  /** Sets the list versions announced with the next frame. */
  set lists(lists: ListVersions) {
    this.#lists = lists
    this.#prefix = prefixOf(lists)
  }

  start(since: UnixMs, lists: ListVersions): void {
    this.#since = since
    this.lists = lists
  }

  set(roomId: number, { seq, cseq, at }: Readonly<RoomProgress>): void {
    this.#rooms.set(roomId, { roomId, seq, cseq, at })
    this.#noteOnlyRoom()
  }

  /** Advances in a room after a delivery. */
  move(roomId: number, { seq, cseq, at }: Readonly<RoomProgress>): void {
    const room = this.#rooms.get(roomId)
    if (room) {
      room.seq = seq
      room.cseq = cseq
      if (room.at < at) room.at = at
    } else this.set(roomId, { seq, cseq, at })
  }

  forget(roomId: number): void {
    this.#rooms.delete(roomId)
    this.#noteOnlyRoom()
  }

  /** Removes rooms without entries since then: everything created before `since` was delivered. */
  advance(since: UnixMs): void {
    if (since <= this.#since) return
    this.#since = since
    for (const [roomId, { at }] of this.#rooms) if (at < since) this.#rooms.delete(roomId)
    this.#noteOnlyRoom()
  }

  /** Returns an SSE block with this position as its `id:` line. */
  stamp(block: Buffer): Buffer {
    const prefix = this.#prefix
    const position = this.#position()
    const last = lastStamp
    if (last.block !== block || last.position !== position || last.prefix !== prefix) {
      last.bytes = Buffer.concat([prefix, position, block])
      last.prefix = prefix
      last.position = position
      last.block = block
    }
    return last.bytes
  }

  #noteOnlyRoom(): void {
    const { size } = this.#rooms
    this.#onlyRoom = size === 0 ? NO_ROOM : size === 1 ? this.#rooms.values().next().value : undefined
  }

  #position(): Buffer {
    const only = this.#onlyRoom
    if (!only) return this.#encodePosition()
    const { roomId, seq, cseq } = only
    const last = lastPosition
    const isSame =
      last.seq === seq && last.cseq === cseq && last.roomId === roomId && last.since === this.#since
    if (!isSame) {
      last.text = this.#encodePosition()
      last.since = this.#since
      last.roomId = roomId
      last.seq = seq
      last.cseq = cseq
    }
    return last.text
  }

  #encodePosition(): Buffer {
    return Buffer.from(`${encodePosition(this.#since, this.#rooms)}\n`, 'latin1')
  }
}

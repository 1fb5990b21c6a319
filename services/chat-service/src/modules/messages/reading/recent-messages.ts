import { upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import { SharedReads } from '../../../shared-reads.ts'
import { fold } from '../changes/change.ts'
import type { Projection } from '../changes/projection.repository.ts'
import { toChange, toRecord } from '../log/documents.ts'
import type { HistoryRange, MessageRepository } from '../log/message.repository.ts'
import type { RoomPosition } from '../log/room-heads.repository.ts'
import { type MessageRecord, positionOf } from '../message.ts'
import type { RoomUpdate } from '../room-updates.ts'

/**
 * The newest messages of a room, oldest first and without gaps up to `seq`, with all changes up to `cseq`. `cseq` never
 * passes a change of a message beyond `seq`, so a message that is added later lacks no change.
 */
interface Recent extends RoomPosition {
  readonly records: readonly MessageRecord[]
  /** Unix milliseconds. */
  readonly readAt: number
}

/** The largest page with one message more. */
const KEPT = 101
/** Bounds a catch-up; a room with more news is read again. */
const MAX_NEWS = 200
/** Bounds how long a message stays as it was if something other than the two logs changed it. */
const MAX_AGE_MS = 60_000
/** Characters of all kept messages. */
const MAX_SIZE = 8_000_000
const SIZE_OF_MESSAGE = 500

/**
 * Keeps the newest messages of rooms that are read repeatedly. A reader who knows the heads of the room's two logs can prove
 * that a kept page is current: everything but erased names changes through the logs. Entries of other processes are read
 * from the logs and folded in; those of this process arrive by `follow`.
 */
export class RecentMessages {
  readonly #repository: MessageRepository
  readonly #projection: Projection
  readonly #rooms = new LRUCache<number, Recent>({ maxSize: MAX_SIZE, sizeCalculation: sizeOf })
  /** Rooms read within the last minute: only the second read fills the cache, which costs one more request. */
  readonly #readOnce = new LRUCache<number, true>({ ...upToEntries(10_000), ttl: MAX_AGE_MS })
  readonly #reads = new SharedReads<Recent | undefined>()
  #erasures = 0

  constructor(repository: MessageRepository, projection: Projection) {
    this.#repository = repository
    this.#projection = projection
  }

  /**
   * Returns the messages of a range in its order; undefined when they are not in memory and the caller must read them.
   *
   * @param head the heads of both logs, read after the request arrived
   */
  async read(
    roomId: number,
    range: HistoryRange,
    head: RoomPosition,
  ): Promise<readonly MessageRecord[] | undefined> {
    const known = this.#get(roomId)
    if (known && reaches(known, range, head.seq)) {
      const current = isBehind(known, head)
        ? await this.#reads.get(`catch up ${roomId}`, () => this.#catchUp(roomId))
        : known
      return current && !isBehind(current, head) ? sliceOf(current, range) : undefined
    }
    if (range.order === 'oldest' || range.before <= head.seq) return undefined
    if (!known && !this.#readOnce.has(roomId)) {
      this.#readOnce.set(roomId, true)
      return undefined
    }
    const { limit } = range
    const filled = await this.#reads.get(`fill ${roomId} ${limit}`, () => this.#fill(roomId, limit))
    return filled && !isBehind(filled, head) ? sliceOf(filled, range) : undefined
  }

  /** Includes what this process has stored. */
  follow({ roomId, messages = [], changes = [] }: RoomUpdate): void {
    const known = this.#rooms.peek(roomId)
    if (!known) return
    let next = withMessages(known, messages)
    for (const { cseq, message } of changes) {
      if (cseq <= next.cseq) continue
      if (!mayAdd(next, cseq, message.seq)) break
      next = withChange(next, cseq, message.seq, (record) => (record.cseq < message.cseq ? message : record))
    }
    if (next !== known) this.#rooms.set(roomId, next)
  }

  /** Drops all messages: the name of a deleted account is removed from stored messages without an entry in a log. */
  clear(): void {
    this.#erasures++
    this.#rooms.clear()
  }

  #get(roomId: number): Recent | undefined {
    const known = this.#rooms.get(roomId)
    if (!known || known.readAt > Date.now() - MAX_AGE_MS) return known
    this.#rooms.delete(roomId)
    return undefined
  }

  async #fill(roomId: number, limit: number): Promise<Recent | undefined> {
    const { messages, changes } = this.#repository
    const erasures = this.#erasures
    const readAt = Date.now()
    // Known before the messages are read: they include every earlier change.
    const cseq = changes.knownPosition(roomId)
    const seq = messages.knownPosition(roomId)
    const stored = await this.#repository.history(roomId, {
      after: 0,
      before: Number.MAX_SAFE_INTEGER,
      order: 'newest',
      limit,
    })
    const records = (cseq === 0 ? stored : await this.#projection.withPending(stored)).toReversed()
    const filled = { records, seq: records.at(-1)?.seq ?? 0, cseq, readAt }
    // Heads evicted in the meantime prove nothing.
    if (filled.seq < seq || erasures !== this.#erasures) return undefined
    this.#rooms.set(roomId, filled)
    return filled
  }

  /** Adds the entries that other processes have stored. */
  async #catchUp(roomId: number): Promise<Recent | undefined> {
    const before = this.#rooms.peek(roomId)
    if (!before) return undefined
    const { messages, changes } = this.#repository
    const isKnown = (log: typeof messages | typeof changes, position: number) =>
      log.knownPosition(roomId) <= position
    const [newMessages, newChanges] = await Promise.all([
      isKnown(messages, before.seq) ? [] : messages.after(roomId, before.seq, MAX_NEWS),
      isKnown(changes, before.cseq) ? [] : changes.after(roomId, before.cseq, MAX_NEWS),
    ])
    if (newMessages.length === MAX_NEWS || newChanges.length === MAX_NEWS) {
      this.#rooms.delete(roomId)
      return undefined
    }
    // `follow` may have added some of them in the meantime.
    const known = this.#rooms.peek(roomId)
    if (!known) return undefined
    let next = withMessages(known, newMessages.map(toRecord))
    for (const change of newChanges.map(toChange)) {
      const seq = positionOf(change.messageId)
      if (change.cseq <= next.cseq) continue
      if (!mayAdd(next, change.cseq, seq)) break
      next = withChange(next, change.cseq, seq, (record) => fold(record, change))
    }
    if (next !== known) this.#rooms.set(roomId, next)
    return next
  }
}

function isBehind(known: RoomPosition, head: RoomPosition): boolean {
  return known.seq < head.seq || known.cseq < head.cseq
}

function withMessages(known: Recent, added: readonly MessageRecord[]): Recent {
  const next = added.filter(({ seq }) => seq > known.seq)
  if (next.length === 0 || next[0]!.seq !== known.seq + 1) return known
  return { ...known, records: [...known.records, ...next].slice(-KEPT), seq: next.at(-1)!.seq }
}

function mayAdd(known: Recent, cseq: number, seq: number): boolean {
  return cseq === known.cseq + 1 && seq <= known.seq
}

function withChange(
  known: Recent,
  cseq: number,
  seq: number,
  change: (record: MessageRecord) => MessageRecord,
): Recent {
  const index = seq - (known.seq - known.records.length + 1)
  const record = known.records[index]
  return { ...known, cseq, records: record ? known.records.with(index, change(record)) : known.records }
}

/** Returns the first and the last position of a range in a room that ends with `seq`; an empty range ends before it starts. */
function boundsOf(
  { after, before, order, limit }: HistoryRange,
  seq: number,
): { start: number; end: number } {
  const last = Math.min(before - 1, seq)
  const first = Math.max(after + 1, 1)
  if (order === 'newest') return { start: Math.max(first, last - limit + 1), end: last }
  return { start: first, end: Math.min(last, first + limit - 1) }
}

/** Returns whether the kept messages go back to the start of the range when the room ends with `seq`. */
function reaches(known: Recent, range: HistoryRange, seq: number): boolean {
  const { start, end } = boundsOf(range, Math.max(seq, known.seq))
  return start > end || start > known.seq - known.records.length
}

/** Returns the messages of a range; undefined when it begins before the kept messages. */
function sliceOf(known: Recent, range: HistoryRange): readonly MessageRecord[] | undefined {
  const { records, seq } = known
  if (!reaches(known, range, seq)) return undefined
  const { start, end } = boundsOf(range, seq)
  const first = seq - records.length + 1
  const found = start > end ? [] : records.slice(start - first, end - first + 1)
  return range.order === 'newest' ? found.reverse() : found
}

function sizeOf({ records }: Recent): number {
  return records.reduce((size, { content }) => size + content.length + SIZE_OF_MESSAGE, 1)
}

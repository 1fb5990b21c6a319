import type { ChangeDocument, MessageDocument } from '../log/documents.ts'
import type { MessageRepository } from '../log/message.repository.ts'
import type { CreationCursor, RoomLog } from '../log/room-log.repository.ts'
import type { RoomEnd } from './publish-backlog.ts'

/**
 * How much earlier than the checkpoint a found entry may have been created: covers clock differences between
 * processes and the duration of an insert. See `docs/adr/0023`.
 */
const SWEEP_OVERLAP_MS = 30_000

const FULL_EVERY_MS = 10_000
const SHORT_EVERY_MS = 500
/** A short sweep only improves latency, and reads each entry again during this time. */
const SHORT_OVERLAP_MS = 1_000
const PAGE = 5_000

interface Scan {
  readonly startedAt: number
  readonly isFull: boolean
  readonly cursors: { messages?: CreationCursor | undefined; changes?: CreationCursor | undefined }
  readonly ends: Map<number, RoomEnd>
}

/** The result of one scan: the newest entry of each room in it. */
export interface SweepResult {
  readonly startedAt: number
  readonly isFull: boolean
  /** The start of a full scan: every entry before it is published. */
  readonly checkpoint: Date
  readonly ends: ReadonlyMap<number, RoomEnd>
}

/**
 * Finds rooms with recently stored entries by creation time. Unlike hints, the sweep also finds entries of a
 * process that died between an insert and its hint. Every 10 s it starts at the checkpoint minus the overlap,
 * otherwise a few seconds back.
 */
export class LogSweep {
  readonly #repository: MessageRepository
  #scan: Scan | undefined
  #checkpoint: Date | undefined
  #fullAt = 0
  #shortAt = 0

  constructor(repository: MessageRepository) {
    this.#repository = repository
  }

  /** The time before which every entry is published; undefined before the first scan. */
  get publishedBefore(): Date | undefined {
    return this.#checkpoint && new Date(this.#checkpoint.getTime() - SWEEP_OVERLAP_MS)
  }

  /** Reads at most one page of each log. Returns the result of the scan when it is complete. */
  async step(): Promise<SweepResult | undefined> {
    this.#scan ??= await this.#begin()
    const scan = this.#scan
    if (!scan) return undefined
    const { messages, changes } = this.#repository
    const { cursors, ends } = scan
    cursors.changes = cursors.changes && (await readPage(changes, cursors.changes, ends, 'cseq'))
    cursors.messages = cursors.messages && (await readPage(messages, cursors.messages, ends, 'seq'))
    if (cursors.messages || cursors.changes) return undefined
    this.#scan = undefined
    return { startedAt: scan.startedAt, isFull: scan.isFull, checkpoint: this.#checkpoint!, ends }
  }

  async #begin(): Promise<Scan | undefined> {
    const now = Date.now()
    if (now < this.#shortAt && now < this.#fullAt) return undefined
    const isFull = now >= this.#fullAt
    if (isFull) {
      await this.#repository.prepare()
      this.#checkpoint = await this.#repository.checkpoint.read()
      this.#fullAt = now + FULL_EVERY_MS
    }
    const from = isFull ? this.publishedBefore! : new Date(this.#shortAt - SHORT_EVERY_MS - SHORT_OVERLAP_MS)
    this.#shortAt = now + SHORT_EVERY_MS
    return {
      startedAt: now,
      isFull,
      cursors: { messages: { at: from }, changes: { at: from } },
      ends: new Map(),
    }
  }
}

/** Returns the position to continue from, undefined at the end. */
async function readPage<Document extends MessageDocument | ChangeDocument>(
  log: RoomLog<Document>,
  cursor: CreationCursor,
  ends: Map<number, RoomEnd>,
  which: 'seq' | 'cseq',
): Promise<CreationCursor | undefined> {
  const { newest, next } = await log.createdFrom(cursor, PAGE)
  for (const [roomId, position] of newest) {
    const end = ends.get(roomId) ?? { seq: 0, cseq: 0 }
    end[which] = Math.max(end[which], position)
    ends.set(roomId, end)
  }
  return next
}

import type { OutboxRow, OutboxStore } from '@bigtech/outbox'
import { upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import type { Projection } from '../changes/projection.repository.ts'
import type { ChangeDocument, MessageDocument } from '../log/documents.ts'
import type { MessageRepository } from '../log/message.repository.ts'
import type { RoomPosition, RoomPositions } from '../log/room-heads.repository.ts'
import { type MessageRecord, positionId, positionOf, roomOf } from '../message.ts'
import type { SenderPositions, Written } from '../reading/sender-positions.ts'
import { LogSweep, type SweepResult } from './log-sweep.ts'
import { changeRecord, sentRecord } from './message-events.ts'
import { CACHED_ROOMS, type Candidate, PublishBacklog, type PublishHint } from './publish-backlog.ts'
import { idsBeyond, prefix, type Room } from './publish-batch.ts'
import { PublishedPositions } from './published-positions.ts'
import { UnpublishedMessages } from './unpublished-messages.ts'

/** `m` or `c` for the log, then the id of its entry. */
export type RelayId = `${'m' | 'c'}:${string}`

const PACE_MS = 100
const ROOMS_A_BATCH = 200
const ROOMS_COUNTED = 100

/** An entry of a log. `done` when it is published or has no event. */
interface Step {
  readonly id: RelayId
  done: boolean
  /** Of a message, for the read position of its sender. */
  readonly written?: Written
}

/**
 * The outbox of messages: the logs themselves, plus the published position of each room. Hints name rooms
 * with new entries; the sweep finds entries without a hint. Also completes writes interrupted by a crash.
 *
 * While its process leads, nobody else advances a published position: each is read once, and stored twice a second. The process's own
 * messages are published from memory.
 */
export class MessageOutboxStore implements OutboxStore<RelayId> {
  readonly #repository: MessageRepository
  readonly #projection: Projection
  readonly #rooms: RoomPositions
  readonly #backlog = new PublishBacklog()
  readonly #positions: PublishedPositions
  readonly #unpublished = new UnpublishedMessages()
  readonly #sweep: LogSweep
  /** The entries of the current batch by log and room, in log order. */
  #steps = new Map<string, Step[]>()
  #isLeading = false
  /** Rooms whose published position was read since this process leads. */
  readonly #read = new LRUCache<number, true>(upToEntries(CACHED_ROOMS))
  /** A full sweep whose rooms are not all published yet. */
  #confirming: (Omit<SweepResult, 'ends'> & { readonly ends: Map<number, RoomPosition> }) | undefined
  #lookedAt = 0

  constructor(options: {
    repository: MessageRepository
    projection: Projection
    senders: SenderPositions
    rooms: RoomPositions
  }) {
    this.#repository = options.repository
    this.#projection = options.projection
    this.#rooms = options.rooms
    this.#positions = new PublishedPositions(options.rooms, options.senders)
    this.#sweep = new LogSweep(options.repository)
  }

  /** Announces entries stored by this process. @param documents those of the messages */
  hint(hint: PublishHint, documents: readonly MessageDocument[] = []): void {
    this.#unpublished.add(documents)
    this.#backlog.hint(hint)
  }

  setLeading(isLeading: boolean): void {
    this.#isLeading = isLeading
    this.#read.clear()
  }

  settle(): Promise<void> {
    return this.#positions.store()
  }

  /** Reads up to 500 entries of each log regardless of the limit: unpublished ones are returned again. */
  async fetchUnsent(): Promise<OutboxRow<RelayId>[]> {
    await this.#pace()
    await this.#look()
    for (;;) {
      const rooms = await this.#open(this.#backlog.first(ROOMS_A_BATCH))
      const rows = await this.#rowsOf(rooms)
      // Skips any number of changes without an event.
      const isFurther = this.#advance()
      await this.#storeIfDue()
      if (rows.length > 0 || !isFurther) return rows
    }
  }

  async markSent(ids: readonly RelayId[]): Promise<void> {
    const sent = new Set(ids)
    for (const steps of this.#steps.values()) for (const step of steps) step.done ||= sent.has(step.id)
    this.#advance()
    await this.#storeIfDue()
  }

  async #storeIfDue(): Promise<void> {
    if (!this.#isLeading || this.#positions.isDue) await this.#positions.store()
  }

  async park(id: RelayId, reason: string): Promise<void> {
    const { messages, changes } = this.#repository
    if (id.startsWith('m:')) await messages.note(id.slice(2), { parked_reason: reason })
    else await changes.note(id.slice(2), { parked_reason: reason })
    await this.markSent([id])
  }

  async backlog(): Promise<{ events: number; oldestSeconds: number }> {
    const rooms = await this.#open(this.#backlog.first(this.#backlog.size))
    const events = rooms.reduce(
      (sum, { candidate, published }) =>
        sum + Math.max(0, candidate.seq - published.seq) + Math.max(0, candidate.cseq - published.cseq),
      0,
    )
    if (events === 0) return { events, oldestSeconds: 0 }
    const next = rooms.slice(0, ROOMS_COUNTED)
    const oldest = await Promise.all([
      this.#repository.messages.byIds(
        next.map(({ roomId, published }) => positionId(roomId, published.seq + 1)),
      ),
      this.#repository.changes.byIds(
        next.map(({ roomId, published }) => positionId(roomId, published.cseq + 1)),
      ),
    ])
    const since = Math.min(Date.now(), ...oldest.flat().map(({ created_at }) => created_at.getTime()))
    return { events, oldestSeconds: (Date.now() - since) / 1_000 }
  }

  /** Delays briefly, because querying for every single message would cost several times as much as the message. */
  async #pace(): Promise<void> {
    const waitMs = this.#lookedAt + PACE_MS - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    this.#lookedAt = performance.now()
  }

  /** Continues the sweep, and advances the checkpoint when everything seen by a full sweep is published. */
  async #look(): Promise<void> {
    const result = await this.#sweep.step()
    if (result) {
      const unknown = [...result.ends].filter(([roomId, end]) => !this.#backlog.isPublished(roomId, end))
      const stored = await this.#rooms.published(unknown.map(([roomId]) => roomId))
      for (const [roomId, position] of stored) this.#backlog.published(roomId, position)
      for (const [roomId, end] of unknown) this.#backlog.found(roomId, end)
      if (result.isFull) this.#confirming = { ...result, ends: new Map(unknown) }
    }
    const confirming = this.#confirming
    if (!confirming) return
    for (const [roomId, end] of confirming.ends)
      if (this.#backlog.isPublished(roomId, end)) confirming.ends.delete(roomId)
    if (confirming.ends.size > 0) return
    this.#confirming = undefined
    await this.#positions.store()
    await this.#repository.checkpoint.move(confirming.checkpoint, new Date(confirming.startedAt))
  }

  /** Returns the rooms with unpublished entries and the start positions. */
  async #open(candidates: readonly [number, Candidate][]): Promise<Room[]> {
    const unread = candidates.map(([roomId]) => roomId).filter((roomId) => !this.#isRead(roomId))
    const stored = await this.#rooms.published(unread)
    const rooms: Room[] = []
    for (const [roomId, candidate] of candidates) {
      if (!this.#isRead(roomId)) {
        this.#backlog.published(roomId, stored.get(roomId) ?? (await this.#firstPublished(roomId, candidate)))
        if (this.#isLeading) this.#read.set(roomId, true)
      }
      if (this.#backlog.has(roomId))
        rooms.push({ roomId, candidate, published: this.#backlog.publishedOf(roomId)! })
    }
    return rooms
  }

  #isRead(roomId: number): boolean {
    return this.#read.has(roomId) && this.#backlog.publishedOf(roomId) !== undefined
  }

  /** Returns the start position in a room of which this log has published nothing: an earlier release may have. */
  async #firstPublished(roomId: number, candidate: Candidate): Promise<RoomPosition> {
    const known = this.#backlog.publishedOf(roomId)
    if (known) return known
    const since = this.#sweep.publishedBefore ?? new Date(0)
    const [seq, cseq] = await Promise.all([
      this.#repository.messages.publishedBefore(roomId, since),
      this.#repository.changes.publishedBefore(roomId, since),
    ])
    return { seq: Math.min(seq, candidate.firstSeq - 1), cseq: Math.min(cseq, candidate.firstCseq - 1) }
  }

  /**
   * Reads changes before messages and publishes them after: the message of every change then precedes it, in
   * this batch or in Kafka.
   */
  async #rowsOf(rooms: readonly Room[]): Promise<OutboxRow<RelayId>[]> {
    this.#steps = new Map()
    if (rooms.length === 0) return []
    const changes = await this.#repository.changes.byIds(
      idsBeyond(rooms, ({ published, candidate }) => [published.cseq, candidate.cseq]),
    )
    for (const { message_id } of changes) {
      const { candidate } = rooms.find(({ roomId }) => roomId === roomOf(message_id))!
      candidate.seq = Math.max(candidate.seq, positionOf(message_id))
    }
    const messages = await this.#messagesOf(rooms)
    const changed = await this.#changedMessages(changes)
    const rows: OutboxRow<RelayId>[] = []
    for (const { roomId, published } of rooms) {
      const ready = prefix(messages, roomId, published.seq)
      const newest = published.seq + ready.length
      this.#steps.set(
        `m:${roomId}`,
        ready.map((doc) => ({ id: `m:${doc._id}`, done: false, written: writtenBy(doc) })),
      )
      rows.push(...ready.map((doc) => ({ id: `m:${doc._id}` as const, record: sentRecord(doc) })))
      const steps: Step[] = []
      for (const doc of prefix(changes, roomId, published.cseq)) {
        if (positionOf(doc.message_id) > newest) break
        const message = changed.get(doc.message_id)
        const record = message && changeRecord(doc, message)
        steps.push({ id: `c:${doc._id}`, done: record === undefined })
        if (record) rows.push({ id: `c:${doc._id}`, record })
      }
      this.#steps.set(`c:${roomId}`, steps)
    }
    return rows
  }

  /** Returns the messages to publish. Those of a room with unpublished changes are read, because a kept message does not have them. */
  async #messagesOf(rooms: readonly Room[]): Promise<MessageDocument[]> {
    const changed = new Set(
      rooms.flatMap(({ roomId, candidate, published }) => (candidate.cseq > published.cseq ? roomId : [])),
    )
    const kept: MessageDocument[] = []
    const missing: string[] = []
    for (const id of idsBeyond(rooms, ({ published, candidate }) => [published.seq, candidate.seq])) {
      const document = changed.has(roomOf(id)) ? undefined : this.#unpublished.get(id)
      if (document) kept.push(document)
      else missing.push(id)
    }
    const read = await this.#repository.messages.byIds(missing)
    return [...kept, ...read].sort((a, b) => (a._id < b._id ? -1 : 1))
  }

  /** Returns the changed messages, after repairing those left behind their log by a crash. */
  async #changedMessages(changes: readonly ChangeDocument[]): Promise<Map<string, MessageRecord>> {
    const messages = await this.#repository.byIds([...new Set(changes.map(({ message_id }) => message_id))])
    for (const { message_id, cseq } of changes) {
      const message = messages.get(message_id)
      if (!message || message.cseq >= cseq) continue
      const current = await this.#projection.catchUp(message_id)
      if (current) messages.set(message_id, current)
    }
    return messages
  }

  /** Advances each room of the batch up to the first unfinished entry. Returns false when nothing advanced. */
  #advance(): boolean {
    const positions = new Map<number, RoomPosition>()
    const written: Written[] = []
    for (const [key, steps] of this.#steps) {
      const undone = steps.findIndex(({ done }) => !done)
      const finished = steps.splice(0, undone === -1 ? steps.length : undone)
      const last = finished.at(-1)
      if (!last) continue
      for (const step of finished) {
        if (step.written) written.push(step.written)
        this.#unpublished.delete(step.id.slice(2))
      }
      const roomId = Number(key.slice(2))
      const position = positions.get(roomId) ?? this.#backlog.publishedOf(roomId)!
      const at = positionOf(last.id.slice(2))
      positions.set(roomId, key.startsWith('m:') ? { ...position, seq: at } : { ...position, cseq: at })
    }
    this.#positions.add(positions, written)
    for (const [roomId, position] of positions) this.#backlog.published(roomId, position)
    return positions.size > 0
  }
}

function writtenBy({ _id, room_id, user_id, message_type }: MessageDocument): Written {
  return { roomId: room_id, userId: user_id, seq: positionOf(_id), messageType: message_type }
}

import type { OutboxRow, OutboxStore } from '@bigtech/outbox'
import type { mongo } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import type { Projection } from '../changes/projection.repository.ts'
import type { ChangeDocument, LogDocument, MessageDocument } from '../log/documents.ts'
import type { MessageRepository } from '../log/message.repository.ts'
import type { RoomLog } from '../log/room-log.repository.ts'
import { positionOf } from '../message.ts'
import { type ReadPositionRepository, readByWriting } from '../reading/read-positions.repository.ts'

/** `m` or `c` for the log, then the id of the entry in it. */
export type RelayId = `${'m' | 'c'}:${string}`

const PACE_MS = 40

/**
 * The outbox of the messages: the messages and changes themselves, as long as they are marked. Also
 * finishes what a crash has interrupted, since everything that was stored comes by here once.
 */
export class MessageOutboxStore implements OutboxStore<RelayId> {
  readonly #store: MongoStore
  readonly #repository: MessageRepository
  readonly #projection: Projection
  readonly #positions: ReadPositionRepository
  #lookedAt = 0

  constructor(options: {
    store: MongoStore
    repository: MessageRepository
    projection: Projection
    positions: ReadPositionRepository
  }) {
    this.#store = options.store
    this.#repository = options.repository
    this.#projection = options.projection
    this.#positions = options.positions
  }

  /**
   * Changes are read before messages and published after them: the message of every change that was
   * seen is then among the messages seen, or on Kafka already.
   */
  async fetchUnsent(limit: number): Promise<OutboxRow<RelayId>[]> {
    await this.#pace()
    const changes = await this.#unsent(this.#repository.changes, limit)
    const messages = await this.#unsent(this.#repository.messages, limit)
    await this.#finishChanges(changes)
    // For senders whose process died between the message and their read position.
    await this.#positions.advance(readByWriting(messages.map(writerOf)))
    const rows = messages.flatMap((doc) => rowsOf('m', doc))
    return messages.length < limit ? [...rows, ...changes.flatMap((doc) => rowsOf('c', doc))] : rows
  }

  async markSent(ids: readonly RelayId[]): Promise<void> {
    const messages = idsIn('m', ids)
    const changes = idsIn('c', ids)
    if (messages.length > 0) await this.#unmark(this.#repository.messages, messages)
    if (changes.length > 0) await this.#unmark(this.#repository.changes, changes)
  }

  async park(id: RelayId, reason: string): Promise<void> {
    const set = { parked_reason: reason }
    if (id.startsWith('m:')) await this.#unmark(this.#repository.messages, [id.slice(2)], set)
    else await this.#unmark(this.#repository.changes, [id.slice(2)], set)
  }

  async backlog(): Promise<{ events: number; oldestSeconds: number }> {
    const { messages, changes } = this.#repository
    const [ofMessages, ofChanges] = await Promise.all([this.#backlogOf(messages), this.#backlogOf(changes)])
    return {
      events: ofMessages.events + ofChanges.events,
      oldestSeconds: Math.max(ofMessages.oldestSeconds, ofChanges.oldestSeconds),
    }
  }

  /** A look for every single message would cost several times the message: those of a moment go together. */
  async #pace(): Promise<void> {
    const waitMs = this.#lookedAt + PACE_MS - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    this.#lookedAt = performance.now()
  }

  async #unsent<Document extends LogDocument>(log: RoomLog<Document>, limit: number): Promise<Document[]> {
    return this.#store.find('outbox.unsent', log.collection, {
      filter: { pending: true } as mongo.Filter<Document>,
      projection: { tokens: 0, content: 0, versions: 0 },
      sort: { created_at: 1, _id: 1 },
      limit,
    })
  }

  /** A process that died between the log and the message left the message behind. */
  async #finishChanges(changes: readonly ChangeDocument[]): Promise<void> {
    if (changes.length === 0) return
    for (const messageId of await this.#projection.behind(changes)) await this.#projection.catchUp(messageId)
    const silent = changes.filter(({ outbox }) => !outbox?.length).map(({ _id }) => _id)
    if (silent.length > 0) await this.#unmark(this.#repository.changes, silent)
  }

  async #unmark<Document extends LogDocument>(
    log: RoomLog<Document>,
    ids: readonly string[],
    set?: Record<string, unknown>,
  ): Promise<void> {
    await this.#store.run('outbox.unmark', () =>
      log.collection.updateMany(
        { _id: { $in: [...ids] } } as unknown as mongo.Filter<Document>,
        {
          $unset: { pending: true, outbox: true },
          ...(set ? { $set: set } : {}),
        } as unknown as mongo.UpdateFilter<Document>,
      ),
    )
  }

  async #backlogOf<Document extends LogDocument>(log: RoomLog<Document>) {
    const filter = { pending: true } as mongo.Filter<Document>
    const [oldest] = await this.#store.find('outbox.oldest', log.collection, {
      filter,
      projection: { created_at: 1 },
      sort: { created_at: 1, _id: 1 },
      limit: 1,
    })
    if (!oldest) return { events: 0, oldestSeconds: 0 }
    const events = await this.#store.run('outbox.count', () => log.collection.countDocuments(filter))
    return { events, oldestSeconds: Math.max(0, (Date.now() - oldest.created_at.getTime()) / 1_000) }
  }
}

function writerOf({ _id, room_id, user_id, message_type }: MessageDocument) {
  return { roomId: room_id, userId: user_id, seq: positionOf(_id), messageType: message_type }
}

function rowsOf(log: 'm' | 'c', { _id, outbox = [] }: LogDocument): OutboxRow<RelayId>[] {
  return outbox.map((record) => ({ id: `${log}:${_id}` as const, record }))
}

function idsIn(log: 'm' | 'c', ids: readonly RelayId[]): string[] {
  return [...new Set(ids.filter((id) => id.startsWith(`${log}:`)).map((id) => id.slice(2)))]
}

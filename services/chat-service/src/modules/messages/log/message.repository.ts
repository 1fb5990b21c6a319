import { StoreUnavailable } from '@bigtech/service-kit'
import { type Model, trusted } from 'mongoose'
import { isOutage, type MongoStore } from '../../../infrastructure/mongo-store.ts'
import { type MessageRecord, positionId } from '../message.ts'
import { Checkpoint } from '../publishing/checkpoint.repository.ts'
import {
  type ChangeDocument,
  collections,
  type HiddenDocument,
  indexes,
  type MessageDocument,
  obsoleteIndexes,
  toRecord,
  withoutBulk,
} from './documents.ts'
import { models } from './models.ts'
import { RoomLog } from './room-log.repository.ts'

/** More than the members of a full room can hide of one page. */
const MAX_HIDDEN = 100_000

export interface HistoryRange {
  /** Exclusive. */
  readonly after: number
  /** Exclusive. */
  readonly before: number
  readonly order: 'oldest' | 'newest'
  readonly limit: number
}

/** Stored messages; documents do not leave the store files of this module. */
export class MessageRepository {
  readonly messages: RoomLog<MessageDocument>
  readonly changes: RoomLog<ChangeDocument>
  readonly checkpoint: Checkpoint
  readonly #store: MongoStore
  #prepared: Promise<void> | undefined

  constructor(store: MongoStore) {
    this.#store = store
    this.messages = new RoomLog(store, collections.messages, models.messages)
    this.changes = new RoomLog(store, collections.changes, models.changes)
    this.checkpoint = new Checkpoint(store)
  }

  /**
   * Creates indexes and the checkpoint, once per process. Must precede the first write: the unique index
   * rejects retries, and the relay finds only entries created after the checkpoint.
   */
  prepare(): Promise<void> {
    this.#prepared ??= Promise.all([this.#createIndexes(), this.checkpoint.create()]).then(
      () => undefined,
      (err: unknown) => {
        this.#prepared = undefined
        throw isOutage(err) ? new StoreUnavailable('mongodb', err) : err
      },
    )
    return this.#prepared
  }

  async #createIndexes(): Promise<void> {
    for (const [name, specs] of Object.entries(indexes)) {
      if (specs.length > 0) await this.#store.collection(name).createIndexes([...specs])
    }
    for (const [name, obsolete] of Object.entries(obsoleteIndexes)) {
      for (const index of obsolete) await this.#store.collection(name).dropIndex(index).catch(unlessMissing)
    }
  }

  async history(roomId: number, range: HistoryRange): Promise<MessageRecord[]> {
    const { after, before, order, limit } = range
    const docs = await this.#store.find('messages.history', this.messages.model, {
      filter: { _id: trusted({ $gt: positionId(roomId, after), $lt: positionId(roomId, before) }) },
      projection: withoutBulk,
      sort: { _id: order === 'oldest' ? 1 : -1 },
      limit,
    })
    return docs.map(toRecord)
  }

  async byIds(ids: readonly string[]): Promise<Map<string, MessageRecord>> {
    if (ids.length === 0) return new Map()
    const docs = await this.#store.find('messages.by_ids', this.messages.model, {
      filter: { _id: trusted({ $in: [...ids] }) },
      projection: withoutBulk,
      limit: ids.length,
      // Without statistics, for example after a restore, a planner may read the whole collection.
      hint: '_id_',
    })
    return new Map(docs.map((doc) => [doc._id, toRecord(doc)]))
  }

  findByClientId(roomId: number, userId: number, clientMessageId: string): Promise<MessageDocument | null> {
    return this.#store.run('messages.by_client_id', () =>
      this.messages.model
        .findOne({ room_id: roomId, user_id: userId, client_message_id: clientMessageId }, withoutBulk)
        .lean<MessageDocument>()
        .exec(),
    )
  }

  async pinned(roomId: number, limit: number): Promise<MessageRecord[]> {
    const docs = await this.#store.find('messages.pinned', this.messages.model, {
      filter: { room_id: roomId, pinned_at: trusted({ $exists: true }) },
      projection: withoutBulk,
      sort: { pinned_at: -1 },
      limit,
    })
    return docs.map(toRecord)
  }

  /** Returns, per message, the users who have deleted it for themselves. */
  async hiddenFrom(messageIds: readonly string[]): Promise<Map<string, number[]>> {
    if (messageIds.length === 0) return new Map()
    const docs = await this.#store.find('hidden.of_messages', this.#hidden, {
      filter: { message_id: trusted({ $in: [...messageIds] }) },
      limit: MAX_HIDDEN,
    })
    const users = new Map<string, number[]>()
    for (const { message_id, user_id } of docs) {
      users.set(message_id, [...(users.get(message_id) ?? []), user_id])
    }
    return users
  }

  /** Returns the messages that the user has deleted for themselves. */
  async hiddenBy(userId: number, messageIds: readonly string[]): Promise<Set<string>> {
    if (messageIds.length === 0) return new Set()
    const docs = await this.#store.find('hidden.of_user', this.#hidden, {
      filter: { _id: trusted({ $in: messageIds.map((id) => `${userId}:${id}`) }) },
      limit: messageIds.length,
    })
    return new Set(docs.map(({ message_id }) => message_id))
  }

  /** Returns the ids of messages that the user has deleted for themselves since then. */
  async hiddenSince(userId: number, since: Date, limit: number): Promise<string[]> {
    const docs = await this.#store.find('hidden.since', this.#hidden, {
      filter: { user_id: userId, at: trusted({ $gte: since }) },
      limit,
    })
    return docs.map(({ message_id }) => message_id)
  }

  async hide(userId: number, messageId: string): Promise<void> {
    await this.#store.run('hidden.add', () =>
      this.#hidden.updateOne(
        { _id: `${userId}:${messageId}` },
        { $setOnInsert: { user_id: userId, message_id: messageId, at: new Date() } },
        { upsert: true },
      ),
    )
  }

  /** Returns messages of an author, including deleted ones and system messages, ordered by id. */
  async ofAuthor(userId: number, afterId: string, limit: number): Promise<MessageRecord[]> {
    const docs = await this.#store.find('messages.of_author', this.messages.model, {
      filter: { user_id: userId, _id: trusted({ $gt: afterId }) },
      projection: withoutBulk,
      sort: { _id: 1 },
      limit,
    })
    return docs.map(toRecord)
  }

  /** Removes a user's name from all messages. */
  async anonymize(userId: number): Promise<void> {
    await this.#store.run('messages.anonymize', () =>
      this.messages.model.updateMany(
        { user_id: userId, username: trusted({ $ne: '' }) },
        { $set: { username: '' } },
      ),
    )
  }

  get #hidden(): Model<HiddenDocument> {
    return models.hidden(this.#store)
  }
}

const INDEX_NOT_FOUND = 27

/** For `dropIndex`: an index that does not exist need not be dropped. */
export function unlessMissing(err: unknown): void {
  if ((err as { code?: unknown }).code !== INDEX_NOT_FOUND) throw err
}

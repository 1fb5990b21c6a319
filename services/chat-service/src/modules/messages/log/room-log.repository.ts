import { upToEntries } from '@bigtech/service-kit'
import { classifyStoreError } from '@bigtech/stores'
import { LRUCache } from 'lru-cache'
import { type Model, type mongo, trusted } from 'mongoose'
import { isOutage, type MongoStore } from '../../../infrastructure/mongo-store.ts'
import { positionId, positionOf, type UnixMs } from '../message.ts'
import { type LogDocument, withoutBulk } from './documents.ts'

export interface LogHead {
  /** The newest position, 0 for an empty log. */
  readonly position: number
  readonly at: UnixMs
}

/**
 * The result of an insert: the first `stored` entries are in the log. Then either all are (`done`), or the
 * next entry hit a taken position, a duplicate secondary key, or a retryable error.
 */
export interface InsertOutcome {
  readonly stored: number
  readonly next: 'done' | 'taken' | 'duplicate' | 'again'
}

/** A place in the entries of all rooms, in the order of their creation. */
export interface CreationCursor {
  /** Inclusive. */
  readonly at: Date
  /** Exclusive, of entries created at that time. */
  readonly id?: string
}

export interface CreationPage {
  readonly newest: ReadonlyMap<number, number>
  /** Undefined at the end. */
  readonly next: CreationCursor | undefined
}

const EMPTY: LogHead = { position: 0, at: 0 }
const CACHED_HEADS = 50_000
const TAIL = 500
const DUPLICATE = 11_000

/**
 * One of the two logs of every room. Inserting the `_id` claims a position, instead of a counter: the second
 * writer gets a duplicate-key error, and no reader sees an entry before its predecessor.
 */
export class RoomLog<Document extends LogDocument> {
  readonly #store: MongoStore
  readonly #name: string
  readonly #model: (store: MongoStore) => Model<Document>
  readonly #heads = new LRUCache<number, LogHead>(upToEntries(CACHED_HEADS))

  /** @param name the collection, also for metrics */
  constructor(store: MongoStore, name: string, model: (store: MongoStore) => Model<Document>) {
    this.#store = store
    this.#name = name
    this.#model = model
  }

  get model(): Model<Document> {
    return this.#model(this.#store)
  }

  /** Returns the head, cached if possible: the insert detects a stale head. */
  async headToAppendTo(roomId: number): Promise<LogHead> {
    return this.#heads.get(roomId) ?? (await this.readHead(roomId))
  }

  /** Returns the position of the cached head, 0 when unknown; the room may have advanced. */
  knownPosition(roomId: number): number {
    return this.knownHead(roomId).position
  }

  /** Returns the cached head, that of an empty log when unknown; the room may have advanced. */
  knownHead(roomId: number): LogHead {
    return this.#heads.peek(roomId) ?? EMPTY
  }

  /** Drops the cached head, for callers that know it is stale. */
  forgetHead(roomId: number): void {
    this.#heads.delete(roomId)
  }

  async readHead(roomId: number): Promise<LogHead> {
    const [last] = await this.#store.find(`${this.#name}.head`, this.model, {
      filter: { _id: trusted({ $gte: `${roomId}:`, $lt: `${roomId};` }) } as mongo.Filter<Document>,
      projection: { created_at: 1 },
      sort: { _id: -1 },
      limit: 1,
    })
    const head = last ? { position: positionOf(last._id), at: last.created_at.getTime() } : EMPTY
    this.#heads.set(roomId, head)
    return head
  }

  /**
   * Inserts entries whose positions follow the head they were created from.
   *
   * @throws StoreUnavailable when it is unknown whether they are stored
   */
  async insert(roomId: number, entries: readonly Document[]): Promise<InsertOutcome> {
    try {
      await this.#store.insertInOrder(`${this.#name}.insert`, this.#name, entries)
      this.#setHead(roomId, entries.at(-1))
      return { stored: entries.length, next: 'done' }
    } catch (err) {
      this.#heads.delete(roomId)
      const next = reasonOf(err)
      if (next === undefined) throw err
      const stored = await this.#storedOf(roomId, entries)
      return stored === entries.length ? { stored, next: 'done' } : { stored, next }
    }
  }

  /**
   * Returns how many of the entries, counted from the first, are in the log. Called after every failure,
   * because a response can be lost after a successful write. Also refreshes the head.
   */
  async #storedOf(roomId: number, entries: readonly Document[]): Promise<number> {
    const tail = await this.#store.find(`${this.#name}.tail`, this.model, {
      filter: { _id: trusted({ $gte: entries[0]!._id, $lt: `${roomId};` }) } as mongo.Filter<Document>,
      projection: { created_at: 1, event_id: 1 },
      sort: { _id: 1 },
      limit: TAIL,
    })
    const last = tail.at(-1)
    if (last && tail.length < TAIL) this.#setHead(roomId, last)
    const eventIds = new Map<string, string>(tail.map(({ _id, event_id }) => [_id, event_id]))
    const firstForeign = entries.findIndex(({ _id, event_id }) => eventIds.get(_id) !== event_id)
    return firstForeign === -1 ? entries.length : firstForeign
  }

  #setHead(roomId: number, last: Pick<LogDocument, '_id' | 'created_at'> | undefined): void {
    if (last) this.#heads.set(roomId, { position: positionOf(last._id), at: last.created_at.getTime() })
  }

  /** Returns entries after a position, in order. */
  async after(roomId: number, position: number, limit: number): Promise<Document[]> {
    return this.#store.find(`${this.#name}.after`, this.model, {
      filter: {
        _id: trusted({ $gt: positionId(roomId, position), $lt: `${roomId};` }),
      } as mongo.Filter<Document>,
      projection: withoutBulk,
      sort: { _id: 1 },
      limit,
    })
  }

  /** Adds fields to an entry, as a note for operators. */
  async note(id: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#store.run(`${this.#name}.note`, () =>
      this.model.updateOne(
        { _id: id } as unknown as mongo.Filter<Document>,
        { $set: fields } as unknown as mongo.UpdateFilter<Document>,
      ),
    )
  }

  /** Returns at most 1,000 entries by id, ordered by id. */
  async byIds(ids: readonly string[]): Promise<Document[]> {
    if (ids.length === 0) return []
    return this.#store.find(`${this.#name}.by_position`, this.model, {
      filter: { _id: trusted({ $in: [...ids] }) } as unknown as mongo.Filter<Document>,
      projection: { tokens: 0, versions: 0 },
      sort: { _id: 1 },
      limit: ids.length,
    })
  }

  /**
   * Returns the newest position of each room among the next `limit` entries of all rooms. Grouped in the database, because a busy second
   * has thousands of entries.
   */
  async createdFrom(from: CreationCursor, limit: number): Promise<CreationPage> {
    const rooms = await this.#store.run(`${this.#name}.created`, () =>
      this.#store
        .collection(this.#name)
        .aggregate<{ _id: number; newest: string; end: Required<CreationCursor>; count: number }>(
          sweepPipeline(from, limit),
        )
        .toArray(),
    )
    const isFull = rooms.reduce((sum, { count }) => sum + count, 0) === limit
    const [last] = rooms
      .map(({ end }) => end)
      .toSorted(byCreation)
      .slice(-1)
    return {
      newest: new Map(rooms.map(({ _id, newest }) => [_id, positionOf(newest)])),
      next: isFull ? last : undefined,
    }
  }

  /**
   * Returns how far a release before the log as outbox has published a room. Its entries have no
   * `correlation_id`, and a mark when unpublished.
   *
   * @param since before any unpublished entry
   */
  async publishedBefore(roomId: number, since: Date): Promise<number> {
    const [oldest] = await this.byIds([positionId(roomId, 1)])
    if (!oldest || oldest.correlation_id !== undefined) return 0
    // Read first: entries stored later are beyond it.
    const head = await this.readHead(roomId)
    const [next] = await this.#store.find(`${this.#name}.to_publish`, this.model, {
      filter: {
        room_id: roomId,
        created_at: trusted({ $gte: since }),
        $or: [{ correlation_id: trusted({ $exists: true }) }, { pending: true }],
      } as unknown as mongo.Filter<Document>,
      projection: { created_at: 1 },
      sort: { created_at: 1, _id: 1 },
      limit: 1,
    })
    return next ? positionOf(next._id) - 1 : head.position
  }

  /**
   * Returns the first position since then of each room that has one. Undefined when there are more entries
   * than `limit`.
   */
  async firstSince(
    roomIds: readonly number[],
    since: Date,
    limit: number,
  ): Promise<Map<number, number> | undefined> {
    const docs = await this.#store.find(`${this.#name}.since`, this.model, {
      filter: {
        room_id: trusted({ $in: [...roomIds] }),
        created_at: trusted({ $gte: since }),
      } as unknown as mongo.Filter<Document>,
      projection: { room_id: 1 },
      limit,
    })
    if (docs.length === limit) return undefined
    const first = new Map<number, number>()
    for (const { _id, room_id } of docs) {
      first.set(room_id, Math.min(first.get(room_id) ?? Number.POSITIVE_INFINITY, positionOf(_id)))
    }
    return first
  }

  /**
   * Returns the rooms whose log continues after the given position. Positions have no gaps, so looking up the
   * next ids is exact, by primary key and independent of clocks.
   */
  async roomsBeyond(positions: ReadonlyMap<number, number>): Promise<number[]> {
    const found: number[] = []
    const ids = [...positions].map(([roomId, position]) => positionId(roomId, position + 1))
    for (let start = 0; start < ids.length; start += 1_000) {
      const some = ids.slice(start, start + 1_000)
      const docs = await this.#store.find(`${this.#name}.beyond`, this.model, {
        filter: { _id: trusted({ $in: some }) } as unknown as mongo.Filter<Document>,
        projection: { room_id: 1 },
        limit: some.length,
      })
      found.push(...docs.map(({ room_id }) => room_id))
    }
    return found
  }
}

/** Returns the pipeline of `createdFrom`. */
export function sweepPipeline({ at, id = '' }: CreationCursor, limit: number): mongo.Document[] {
  return [
    { $match: { created_at: { $gte: at }, $or: [{ created_at: { $gt: at } }, { _id: { $gt: id } }] } },
    { $sort: { created_at: 1, _id: 1 } },
    { $limit: limit },
    {
      $group: {
        _id: '$room_id',
        newest: { $max: '$_id' },
        end: { $max: { at: '$created_at', id: '$_id' } },
        count: { $sum: 1 },
      },
    },
  ]
}

function byCreation(a: Required<CreationCursor>, b: Required<CreationCursor>): number {
  return a.at.getTime() - b.at.getTime() || (a.id < b.id ? -1 : 1)
}

/** Returns the meaning of an insert error; undefined for an unexpected one. */
function reasonOf(err: unknown): InsertOutcome['next'] | undefined {
  const { code } = err as { code?: unknown }
  if (code === DUPLICATE) return duplicateIndex(err) === '_id_' ? 'taken' : 'duplicate'
  if (classifyStoreError(err) === 'conflict' || isOutage(err)) return 'again'
  return undefined
}

/** MongoDB writes `index: name`, compatible servers `Index 'name'`. */
function duplicateIndex(err: unknown): string | undefined {
  return /index:? '?([\w.]+)'?/i.exec((err as Error).message)?.[1]
}

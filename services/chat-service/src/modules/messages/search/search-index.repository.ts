import { upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import type { mongo } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { unlessMissing } from '../log/message.repository.ts'
import {
  type BlockDocument,
  blockIdOf,
  type SearchBounds,
  searchBlocks,
  withEntries,
} from './search-blocks.ts'
import type { SearchEntry, SearchHits, SearchIndex, SearchRequest } from './search-index.ts'
import { RoomSearch } from './search-room.repository.ts'
import { RoomsSearch } from './search-rooms.repository.ts'

export const searchIndexes: readonly mongo.IndexDescription[] = [
  { name: 'until', key: { room_id: 1, until: -1 } },
]
/** Index of an earlier release, which is dropped. */
const obsoleteIndex = 'time'

/** Blocks with room for more messages, about 2 KB each, which the next messages would have to read again. */
const OPEN_BLOCKS = 1_000
const defaultBounds: SearchBounds = { firstBlocks: 256, stepBlocks: 4_000, firstRead: 256, stepRead: 512 }
const MAX_ATTEMPTS = 20
const DUPLICATE_KEY = 11_000

/**
 * The search index in MongoDB: one document per block of 32 positions of a room, and no index over tokens, which would cost the server ten
 * times as much as the message. A search compares the Bloom filters of the blocks, then the hashes in those that may match.
 */
export class MongoSearchIndex implements SearchIndex {
  readonly #store: MongoStore
  readonly #room: RoomSearch
  readonly #rooms: RoomsSearch
  readonly #open = new LRUCache<string, BlockDocument>(upToEntries(OPEN_BLOCKS))
  #prepared: Promise<void> | undefined

  constructor(store: MongoStore, bounds: Partial<SearchBounds> = {}) {
    this.#store = store
    this.#room = new RoomSearch(store, { ...defaultBounds, ...bounds })
    this.#rooms = new RoomsSearch(store, { ...defaultBounds, ...bounds })
  }

  find(request: SearchRequest): Promise<SearchHits> {
    const [roomId, ...others] = request.roomIds
    return roomId !== undefined && others.length === 0
      ? this.#room.find(roomId, request)
      : this.#rooms.find(request)
  }

  /** Adds entries to their blocks. A block that another process changes at the same time is read and written again. */
  async put(entries: readonly SearchEntry[]): Promise<void> {
    if (entries.length === 0) return
    await this.prepare()
    let pending = Map.groupBy(entries, ({ messageId }) => blockIdOf(messageId))
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const known = await this.#read([...pending.keys()])
      const changed = [...pending].flatMap(([id, own]) => withEntries(id, known.get(id), own) ?? [])
      const conflicts = new Set(await this.#write(changed))
      if (conflicts.size === 0) return
      pending = new Map([...pending].filter(([id]) => conflicts.has(id)))
    }
    throw new Error('search blocks are changed too often')
  }

  prepare(): Promise<void> {
    this.#prepared ??= this.#createIndexes().catch((err: unknown) => {
      this.#prepared = undefined
      throw err
    })
    return this.#prepared
  }

  async #createIndexes(): Promise<void> {
    await this.#store.run('search.create_indexes', () => this.#blocks.createIndexes([...searchIndexes]))
    await this.#store
      .run('search.drop_index', () => this.#blocks.dropIndex(obsoleteIndex))
      .catch(unlessMissing)
  }

  async #read(ids: readonly string[]): Promise<Map<string, BlockDocument>> {
    const known = new Map(ids.flatMap((id) => (this.#open.has(id) ? [[id, this.#open.get(id)!]] : [])))
    const missing = ids.filter((id) => !known.has(id))
    if (missing.length === 0) return known
    const docs = await this.#store.find('search.blocks', this.#blocks, {
      filter: { _id: { $in: missing } },
      limit: missing.length,
      hint: '_id_',
    })
    for (const doc of docs) known.set(doc._id, doc)
    return known
  }

  /** Replaces blocks unless they have changed since they were read. Returns the ids of those that have. */
  async #write(blocks: readonly BlockDocument[]): Promise<string[]> {
    if (blocks.length === 0) return []
    const operations = blocks.map((replacement) => ({
      // With another revision the upsert inserts, and the primary key rejects the document.
      replaceOne: { filter: { _id: replacement._id, rev: replacement.rev - 1 }, replacement, upsert: true },
    }))
    const conflicts = await this.#store.run('search.replace', () => this.#replace(operations))
    for (const [index, block] of blocks.entries()) {
      if (conflicts.has(index)) this.#open.delete(block._id)
      else this.#open.set(block._id, block)
    }
    return blocks.filter((_, index) => conflicts.has(index)).map(({ _id }) => _id)
  }

  /** Returns the indexes of the operations that another writer preceded. */
  async #replace(operations: mongo.AnyBulkWriteOperation<BlockDocument>[]): Promise<Set<number>> {
    try {
      await this.#blocks.bulkWrite(operations, { ordered: false })
      return new Set()
    } catch (err) {
      const { writeErrors = [] } = err as { writeErrors?: mongo.WriteError | readonly mongo.WriteError[] }
      const refused = [writeErrors].flat()
      if (refused.length === 0 || refused.some(({ code }) => code !== DUPLICATE_KEY)) throw err
      return new Set(refused.map(({ index }) => index))
    }
  }

  get #blocks(): mongo.Collection<BlockDocument> {
    return this.#store.collection<BlockDocument>(searchBlocks)
  }
}

import { upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import type { mongo } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { positionId, positionOf, roomOf } from '../message.ts'
import {
  BLOCK_SIZE,
  type BlockDocument,
  blockIdOf,
  filterConditions,
  hitsIn,
  withEntries,
} from './search-blocks.ts'
import type { SearchEntry, SearchHits, SearchIndex, SearchPosition, SearchRequest } from './search-index.ts'

export const searchBlocks = 'search_blocks'

export const searchIndexes: readonly mongo.IndexDescription[] = [
  { name: 'time', key: { room_id: 1, from: -1, _id: -1 } },
]

/** Number of blocks whose filters are compared in one step, 10 to 20 ms. */
const STEP_BLOCKS = 2_000
/** Number of blocks read first; each further step reads four times as many. A common word fills a page from a few. */
const FIRST_READ = 4
const MAX_READ = 128
/** More rooms are searched by one query, which sorts all matching blocks. */
const MAX_MERGED_ROOMS = 50
/** Blocks of one page of such a query, beside one of each room that reaches over the start of the page. */
const SORTED_BLOCKS = 256
/** Blocks with room for more messages, about 2 KB each, which the next messages would have to read again. */
const OPEN_BLOCKS = 1_000
const MAX_ATTEMPTS = 20
const DUPLICATE_KEY = 11_000

interface SearchBounds {
  readonly stepBlocks: number
  readonly maxRead: number
  readonly mergedRooms: number
  readonly sortedBlocks: number
}

const defaultBounds: SearchBounds = {
  stepBlocks: STEP_BLOCKS,
  maxRead: MAX_READ,
  mergedRooms: MAX_MERGED_ROOMS,
  sortedBlocks: SORTED_BLOCKS,
}

/**
 * The search index in MongoDB: one document per block of 32 positions of a room, and no index over tokens, which would cost the server ten
 * times as much as the message. A search compares the Bloom filters of the blocks, then the hashes in those that may match.
 */
export class MongoSearchIndex implements SearchIndex {
  readonly #store: MongoStore
  readonly #bounds: SearchBounds
  readonly #open = new LRUCache<string, BlockDocument>(upToEntries(OPEN_BLOCKS))
  #indexed: Promise<unknown> | undefined

  constructor(store: MongoStore, bounds: Partial<SearchBounds> = {}) {
    this.#store = store
    this.#bounds = { ...defaultBounds, ...bounds }
  }

  /** Scans each room from the newest message on, in steps of bounded size. */
  async find(request: SearchRequest): Promise<SearchHits> {
    const { roomIds, limit } = request
    if (roomIds.length > this.#bounds.mergedRooms) return this.#findSorted(request)
    return firstOf(await Promise.all(roomIds.map((roomId) => this.#scan(roomId, request))), limit)
  }

  /** Adds entries to their blocks. A block that another process changes at the same time is read and written again. */
  async put(entries: readonly SearchEntry[]): Promise<void> {
    if (entries.length === 0) return
    await this.#ensureIndexes()
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

  /** Creates the indexes once per process. */
  #ensureIndexes(): Promise<unknown> {
    this.#indexed ??= this.#store
      .run('search.create_indexes', () => this.#blocks.createIndexes([...searchIndexes]))
      .catch((err: unknown) => {
        this.#indexed = undefined
        throw err
      })
    return this.#indexed
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

  /** Scans a room in the order of its messages, which is also that of their times. */
  async #scan(roomId: number, { tokens, before, limit, until }: SearchRequest): Promise<SearchHits> {
    const hits: SearchPosition[] = []
    let wanted = Math.min(FIRST_READ, this.#bounds.maxRead)
    for (let end = await this.#endOf(roomId, before); end > 0; ) {
      const start = Math.max(0, end - this.#bounds.stepBlocks)
      const docs = await this.#store.find('search.scan', this.#blocks, {
        filter: {
          _id: { $gte: positionId(roomId, start), $lt: positionId(roomId, end) },
          ...filterConditions(tokens),
        } as mongo.Filter<BlockDocument>,
        projection: { rows: 1 },
        sort: { _id: -1 },
        limit: wanted,
        hint: '_id_',
      })
      hits.push(...docs.flatMap((doc) => hitsIn(doc, tokens)).filter((hit) => isOlder(hit, before)))
      if (hits.length >= limit) return { hits: hits.slice(0, limit), next: hits[limit - 1]! }
      end = docs.length === wanted ? positionOf(docs.at(-1)!._id) : start
      wanted = Math.min(wanted * 4, this.#bounds.maxRead)
      if (end === 0 || performance.now() < until) continue
      const next = await this.#startOf(roomId, end)
      // Otherwise a search that has stopped in another room in the same millisecond would begin here again and again.
      if (isOlder(next, before)) return { hits, next }
    }
    return { hits, next: null }
  }

  /** Returns the number of the block before which the scan of a room begins. */
  async #endOf(roomId: number, before: SearchPosition | undefined): Promise<number> {
    if (before && roomOf(before.id) === roomId) return positionOf(blockIdOf(before.id)) + 1
    const [newest] = await this.#store.find('search.end', this.#blocks, {
      filter: before
        ? { room_id: roomId, from: { $lte: before.at } }
        : { _id: { $gte: positionId(roomId, 0), $lt: `${roomId};` } },
      projection: { _id: 1 },
      sort: before ? { from: -1, _id: -1 } : { _id: -1 },
      limit: 1,
    })
    return newest ? positionOf(newest._id) + 1 : 0
  }

  /** Returns the place from which a scan continues, with the time of the first message that was examined. */
  async #startOf(roomId: number, block: number): Promise<SearchPosition> {
    const [oldest] = await this.#store.find('search.end', this.#blocks, {
      filter: { _id: { $gte: positionId(roomId, block), $lt: `${roomId};` } },
      projection: { from: 1 },
      sort: { _id: 1 },
      limit: 1,
    })
    return { at: oldest!.from, id: positionId(roomId, block * BLOCK_SIZE) }
  }

  /** Reads matching blocks of many rooms, newest first. Hits are complete down to the last message of the next block. */
  async #findSorted({ roomIds, tokens, before, limit }: SearchRequest): Promise<SearchHits> {
    for (let wanted = roomIds.length + this.#bounds.sortedBlocks; ; wanted *= 4) {
      const docs = await this.#store.find('search.find', this.#blocks, {
        filter: {
          room_id: roomIds.length === 1 ? roomIds[0]! : { $in: [...roomIds] },
          ...(before ? { from: { $lte: before.at } } : {}),
          ...filterConditions(tokens),
        } as mongo.Filter<BlockDocument>,
        projection: { rows: 1, until: 1 },
        sort: { until: -1 },
        limit: wanted,
        hint: 'time',
      })
      const hits = docs.flatMap((doc) => hitsIn(doc, tokens)).filter((hit) => isOlder(hit, before))
      if (docs.length < wanted) return firstOf([{ hits, next: null }], limit)
      const next = { at: new Date(docs.at(-1)!.until.getTime() + 1), id: '' }
      if (isOlder(next, before)) return firstOf([{ hits, next }], limit)
    }
  }

  get #blocks(): mongo.Collection<BlockDocument> {
    return this.#store.collection<BlockDocument>(searchBlocks)
  }
}

/** Orders newest first. */
function compare(a: SearchPosition, b: SearchPosition): number {
  return b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
}

function isOlder(position: SearchPosition, than: SearchPosition | undefined): boolean {
  return than === undefined || compare(position, than) > 0
}

/**
 * Merges the hits of several searches, newest first. Omits what is older than a place where one of them has stopped: that search may still
 * find newer ones.
 */
function firstOf(found: readonly SearchHits[], limit: number): SearchHits {
  const [stopped] = found.flatMap(({ next }) => next ?? []).sort(compare)
  const hits = found
    .flatMap((each) => each.hits)
    .sort(compare)
    .filter((hit) => !stopped || !isOlder(hit, stopped))
    .slice(0, limit)
  return { hits, next: hits.length === limit ? hits.at(-1)! : (stopped ?? null) }
}

import type { mongo } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { positionId, positionOf, roomOf } from '../message.ts'
import {
  BLOCK_SIZE,
  type BlockDocument,
  blockIdOf,
  filterConditions,
  hitsIn,
  type SearchBounds,
  searchBlocks,
} from './search-blocks.ts'
import { isOlder, type SearchHits, type SearchPosition, type SearchRequest } from './search-index.ts'

/** Number of blocks read first; each further step reads four times as many. A common word fills a page from a few. */
const FIRST_READ = 4

/** Searches one room in the order of its messages, which is also that of their times, by the positions of its blocks. */
export class RoomSearch {
  readonly #store: MongoStore
  readonly #bounds: SearchBounds

  constructor(store: MongoStore, bounds: SearchBounds) {
    this.#store = store
    this.#bounds = bounds
  }

  async find(roomId: number, { tokens, before, limit, until }: SearchRequest): Promise<SearchHits> {
    const hits: SearchPosition[] = []
    let wanted = Math.min(FIRST_READ, this.#bounds.stepRead)
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
      wanted = Math.min(wanted * 4, this.#bounds.stepRead)
      if (end === 0 || performance.now() < until) continue
      const next = await this.#startOf(roomId, end)
      // Otherwise a search with the cursor of a search in other rooms might begin here again and again.
      if (isOlder(next, before)) return { hits, next }
    }
    return { hits, next: null }
  }

  /** Returns the number of the block before which the search begins. */
  async #endOf(roomId: number, before: SearchPosition | undefined): Promise<number> {
    if (before && roomOf(before.id) === roomId) return positionOf(blockIdOf(before.id)) + 1
    const later =
      before && (await this.#edge({ room_id: roomId, until: { $gte: before.at } }, { until: 1, _id: 1 }))
    // Without a later block, the newest one.
    const block =
      later ?? (await this.#edge({ _id: { $gte: positionId(roomId, 0), $lt: `${roomId};` } }, { _id: -1 }))
    return block ? positionOf(block._id) + 1 : 0
  }

  /** Returns the place from which a search continues, with the time of the first message that was examined. */
  async #startOf(roomId: number, block: number): Promise<SearchPosition> {
    const oldest = await this.#edge(
      { _id: { $gte: positionId(roomId, block), $lt: `${roomId};` } },
      { _id: 1 },
    )
    return { at: oldest!.from, id: positionId(roomId, block * BLOCK_SIZE) }
  }

  async #edge(
    filter: mongo.Filter<BlockDocument>,
    sort: Readonly<Record<string, 1 | -1>>,
  ): Promise<Pick<BlockDocument, '_id' | 'from'> | undefined> {
    const [block] = await this.#store.find('search.end', this.#blocks, {
      filter,
      projection: { from: 1 },
      sort,
      limit: 1,
    })
    return block
  }

  get #blocks(): mongo.Collection<BlockDocument> {
    return this.#store.collection<BlockDocument>(searchBlocks)
  }
}

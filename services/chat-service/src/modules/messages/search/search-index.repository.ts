import type { mongo } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { positionId, positionOf, roomOf } from '../message.ts'
import type { SearchEntry, SearchHits, SearchIndex, SearchPosition, SearchRequest } from './search-index.ts'

interface SearchDocument {
  /** The message id. */
  readonly _id: string
  readonly room_id: number
  readonly created_at: Date
  readonly version: number
  readonly tokens: readonly string[]
}

const searchCollection = 'search_entries'

const indexes: readonly mongo.IndexDescription[] = [
  { name: 'tokens', key: { room_id: 1, tokens: 1, created_at: -1, _id: -1 } },
  { name: 'time', key: { room_id: 1, created_at: -1, _id: -1 } },
]

/** Number of positions examined in one step, 5 to 10 ms. */
const STEP_POSITIONS = 10_000
/** A token with fewer entries is rare: all of them are read, in about 5 ms. */
const RARE_ENTRIES = 200
/** More rooms are searched by one query, which sorts all matches. */
const MAX_MERGED_ROOMS = 50
const DUPLICATE_KEY = 11_000

interface SearchBounds {
  readonly stepPositions: number
  readonly rareEntries: number
  readonly mergedRooms: number
}

const defaultBounds: SearchBounds = {
  stepPositions: STEP_POSITIONS,
  rareEntries: RARE_ENTRIES,
  mergedRooms: MAX_MERGED_ROOMS,
}

/**
 * The search index in a collection of its own, one document per message. Never combines a token with a range of times: an index over an
 * array has no useful order within such a range in every server that speaks MongoDB's protocol, so the query would read and sort all
 * older matches.
 */
export class MongoSearchIndex implements SearchIndex {
  readonly #store: MongoStore
  readonly #bounds: SearchBounds
  #indexed: Promise<unknown> | undefined

  constructor(store: MongoStore, bounds: Partial<SearchBounds> = {}) {
    this.#store = store
    this.#bounds = { ...defaultBounds, ...bounds }
  }

  /**
   * Finds entries with all tokens. Reads the ids of all entries of a rare token; of common tokens, scans the rooms from the newest message on, in steps
   * of bounded size.
   */
  async find(request: SearchRequest): Promise<SearchHits> {
    const { roomIds, tokens, before, limit } = request
    const rare = await this.#findRare(roomIds, tokens)
    if (rare) return firstOf([{ hits: rare.filter((hit) => isOlder(hit, before)), next: null }], limit)
    if (roomIds.length > this.#bounds.mergedRooms) return this.#findSorted(request)
    return firstOf(await Promise.all(roomIds.map((roomId) => this.#scan(roomId, request))), limit)
  }

  /** Inserts new entries in one batch; replaces older existing ones. */
  async put(entries: readonly SearchEntry[]): Promise<void> {
    if (entries.length === 0) return
    await this.#ensureIndexes()
    const documents = entries.map(toDocument)
    const known = await this.#store.run('search.insert', () => this.#insert(documents))
    if (known.length === 0) return
    const replacements = known.map(({ _id, ...document }) => ({
      updateOne: { filter: { _id, version: { $lt: document.version } }, update: { $set: document } },
    }))
    await this.#store.run('search.replace', () => this.#entries.bulkWrite(replacements, { ordered: false }))
  }

  /** Creates the indexes once per process. */
  #ensureIndexes(): Promise<unknown> {
    this.#indexed ??= this.#store
      .run('search.create_indexes', () => this.#entries.createIndexes([...indexes]))
      .catch((err: unknown) => {
        this.#indexed = undefined
        throw err
      })
    return this.#indexed
  }

  /** Inserts entries and returns those that already existed. */
  async #insert(documents: readonly SearchDocument[]): Promise<SearchDocument[]> {
    try {
      await this.#entries.insertMany([...documents], { ordered: false })
      return []
    } catch (err) {
      const { writeErrors = [] } = err as { writeErrors?: mongo.WriteError | readonly mongo.WriteError[] }
      const refused = [writeErrors].flat()
      if (refused.length === 0 || refused.some(({ code }) => code !== DUPLICATE_KEY)) throw err
      return refused.map(({ index }) => documents[index]!)
    }
  }

  /**
   * Returns the entries with all tokens; undefined when every token is common. Compares ids: reading the tokens of the entries
   * would cost several times as much.
   */
  async #findRare(
    roomIds: readonly number[],
    tokens: readonly string[],
  ): Promise<SearchPosition[] | undefined> {
    const limit = this.#bounds.rareEntries
    const found = await Promise.all(
      tokens.map((token) =>
        this.#store.find('search.rare', this.#entries, {
          filter: { room_id: inRooms(roomIds), tokens: token },
          projection: { created_at: 1 },
          limit,
          hint: 'tokens',
        }),
      ),
    )
    const [fewest, ...others] = found.filter(({ length }) => length < limit)
    if (!fewest) return undefined
    const sets = others.map((entries) => new Set(entries.map(({ _id }) => _id)))
    const inRare = fewest.filter(({ _id }) => sets.every((ids) => ids.has(_id)))
    const common = tokens.filter((_, index) => found[index]!.length === limit)
    return (await this.#withTokens(inRare, common)).map(toPosition)
  }

  /** Returns those of the entries that have all of the tokens. */
  async #withTokens(
    entries: readonly SearchDocument[],
    tokens: readonly string[],
  ): Promise<readonly SearchDocument[]> {
    if (entries.length === 0 || tokens.length === 0) return entries
    return this.#store.find('search.common', this.#entries, {
      filter: { _id: { $in: entries.map(({ _id }) => _id) }, tokens: { $all: [...tokens] } },
      projection: { created_at: 1 },
      limit: entries.length,
      hint: '_id_',
    })
  }

  /** Scans a room in the order of its messages, which is also that of their times. */
  async #scan(roomId: number, { tokens, before, limit, until }: SearchRequest): Promise<SearchHits> {
    const hits: SearchPosition[] = []
    for (let end = await this.#endOf(roomId, before); end > 0; ) {
      const start = Math.max(0, end - this.#bounds.stepPositions)
      const wanted = limit - hits.length
      const docs = await this.#store.find('search.scan', this.#entries, {
        filter: {
          _id: { $gte: positionId(roomId, start), $lt: positionId(roomId, end) },
          tokens: { $all: [...tokens] },
        },
        projection: { created_at: 1 },
        sort: { _id: -1 },
        limit: wanted,
        hint: '_id_',
      })
      hits.push(...docs.map(toPosition).filter((hit) => isOlder(hit, before)))
      if (hits.length === limit) return { hits, next: hits.at(-1)! }
      end = docs.length === wanted ? positionOf(docs.at(-1)!._id) : start
      if (end === 0 || performance.now() < until) continue
      const next = await this.#positionAt(roomId, end)
      // Otherwise a search that has stopped in another room in the same millisecond would begin here again and again.
      if (isOlder(next, before)) return { hits, next }
    }
    return { hits, next: null }
  }

  /** Returns the position before which the scan of a room begins. */
  async #endOf(roomId: number, before: SearchPosition | undefined): Promise<number> {
    if (before && roomOf(before.id) === roomId) return positionOf(before.id)
    const [newest] = await this.#store.find('search.end', this.#entries, {
      filter: before
        ? { room_id: roomId, created_at: { $lte: before.at } }
        : { _id: { $gte: positionId(roomId, 0), $lt: `${roomId};` } },
      projection: { _id: 1 },
      sort: before ? { created_at: -1, _id: -1 } : { _id: -1 },
      limit: 1,
    })
    return newest ? positionOf(newest._id) + 1 : 0
  }

  /** Returns the place from which a scan continues, with the time of the first message that was examined. */
  async #positionAt(roomId: number, position: number): Promise<SearchPosition> {
    const id = positionId(roomId, position)
    const [entry] = await this.#store.find('search.end', this.#entries, {
      filter: { _id: { $gte: id, $lt: `${roomId};` } },
      projection: { created_at: 1 },
      sort: { _id: 1 },
      limit: 1,
    })
    return { at: entry!.created_at, id }
  }

  async #findSorted({ roomIds, tokens, before, limit }: SearchRequest): Promise<SearchHits> {
    const docs = await this.#store.find('search.find', this.#entries, {
      filter: {
        room_id: inRooms(roomIds),
        tokens: { $all: [...tokens] },
        ...(before
          ? {
              created_at: { $lte: before.at },
              $or: [{ created_at: { $lt: before.at } }, { _id: { $lt: before.id } }],
            }
          : {}),
      } as mongo.Filter<SearchDocument>,
      projection: { created_at: 1 },
      sort: { created_at: -1, _id: -1 },
      limit,
    })
    return firstOf([{ hits: docs.map(toPosition), next: null }], limit)
  }

  get #entries(): mongo.Collection<SearchDocument> {
    return this.#store.collection<SearchDocument>(searchCollection)
  }
}

function inRooms(roomIds: readonly number[]) {
  return roomIds.length === 1 ? roomIds[0]! : { $in: [...roomIds] }
}

const toPosition = ({ _id, created_at }: Pick<SearchDocument, '_id' | 'created_at'>): SearchPosition => ({
  at: created_at,
  id: _id,
})

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

function toDocument({ messageId, roomId, at, version, tokens }: SearchEntry): SearchDocument {
  return { _id: messageId, room_id: roomId, created_at: at, version, tokens }
}

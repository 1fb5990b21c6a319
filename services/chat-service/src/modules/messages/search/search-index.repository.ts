import type { mongo } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
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
]

/** Number of entries examined in one step, about 10 ms. */
const STEP_ENTRIES = 2_000
const DUPLICATE_KEY = 11_000

/** The search index in a collection of its own, one document per message. */
export class MongoSearchIndex implements SearchIndex {
  readonly #store: MongoStore
  readonly #stepEntries: number
  #indexed: Promise<unknown> | undefined

  constructor(store: MongoStore, stepEntries = STEP_ENTRIES) {
    this.#store = store
    this.#stepEntries = stepEntries
  }

  /**
   * Finds entries with all tokens. The index is searched for one token and the others are filtered, which for
   * two common words that never occur together examines all entries. Therefore proceeds in steps of bounded
   * size.
   */
  async find(request: SearchRequest): Promise<SearchHits> {
    const { limit, until } = request
    if (request.tokens.length === 1) return this.#step(request, request.tokens, null)
    const hits: SearchPosition[] = []
    let before = request.before
    for (;;) {
      const rest = { ...request, before, limit: limit - hits.length }
      const { tokens, end } = await this.#nextStep(rest)
      const found = await this.#step(rest, tokens, end)
      hits.push(...found.hits)
      if (found.next === null || hits.length >= limit || performance.now() >= until)
        return { hits, next: found.next }
      before = found.next
    }
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

  /** Returns the rarest token first, and the end of the step, which bounds the number of examined entries. */
  async #nextStep(
    request: SearchRequest,
  ): Promise<{ tokens: readonly string[]; end: SearchPosition | null }> {
    const { tokens } = request
    const ends = await Promise.all(tokens.map((token) => this.#endOf(request, token)))
    const none = ends.indexOf(null)
    const rarest = none >= 0 ? none : ends.reduce((best, end, n) => (end!.at < ends[best]!.at ? n : best), 0)
    const others = tokens.filter((_, index) => index !== rarest)
    return { tokens: [tokens[rarest]!, ...others], end: ends[rarest]! }
  }

  /** Returns the last entry with the token within one step; null when no more follow. */
  async #endOf(request: SearchRequest, token: string): Promise<SearchPosition | null> {
    const [last] = await this.#store.run('search.step', () =>
      this.#entries
        .find(filterOf(request, [token], null), { projection: { created_at: 1 } })
        .sort({ created_at: -1, _id: -1 })
        .skip(this.#stepEntries - 1)
        .limit(1)
        .toArray(),
    )
    return last ? { at: last.created_at, id: last._id } : null
  }

  async #step(
    request: SearchRequest,
    tokens: readonly string[],
    end: SearchPosition | null,
  ): Promise<SearchHits> {
    const docs = await this.#store.find('search.find', this.#entries, {
      filter: filterOf(request, tokens, end),
      projection: { created_at: 1 },
      sort: { created_at: -1, _id: -1 },
      limit: request.limit,
    })
    const hits = docs.map(({ _id, created_at }) => ({ at: created_at, id: _id }))
    if (hits.length === request.limit) return { hits, next: hits.at(-1)! }
    // Everything from the end's millisecond on has been examined.
    return { hits, next: end && { at: end.at, id: '' } }
  }

  get #entries(): mongo.Collection<SearchDocument> {
    return this.#store.collection<SearchDocument>(searchCollection)
  }
}

function filterOf(
  { roomIds, before }: SearchRequest,
  tokens: readonly string[],
  end: SearchPosition | null,
): mongo.Filter<SearchDocument> {
  return {
    room_id: roomIds.length === 1 ? roomIds[0]! : { $in: [...roomIds] },
    tokens: tokens.length === 1 ? tokens[0]! : { $all: [...tokens] },
    ...(before || end
      ? { created_at: { ...(before ? { $lte: before.at } : {}), ...(end ? { $gte: end.at } : {}) } }
      : {}),
    ...(before ? { $or: [{ created_at: { $lt: before.at } }, { _id: { $lt: before.id } }] } : {}),
  } as mongo.Filter<SearchDocument>
}

function toDocument({ messageId, roomId, at, version, tokens }: SearchEntry): SearchDocument {
  return { _id: messageId, room_id: roomId, created_at: at, version, tokens }
}

import { StoreMetrics, StoreUnavailable } from '@bigtech/service-kit'
import { Client, errors } from '@opensearch-project/opensearch'
import type { Registry } from 'prom-client'
import type { SearchEntry, SearchHits, SearchIndex, SearchRequest } from './search-index.ts'

/** A caller gets 503 within 2 s even from a server that accepts the connection and never responds. */
const FIND_DEADLINE_MS = 1_400
/** No request waits for an update of the index. */
const UPDATE_DEADLINE_MS = 15_000
const VERSION_CONFLICT = 409

/** Sorted as results are, so that a query ends as soon as it has found a page. */
const index = {
  settings: {
    index: {
      'sort.field': ['at', 'message_id'],
      'sort.order': ['desc', 'desc'],
    },
  },
  mappings: {
    dynamic: 'strict' as const,
    properties: {
      message_id: { type: 'keyword' as const },
      room_id: { type: 'long' as const },
      at: { type: 'date' as const, format: 'epoch_millis' },
      tokens: { type: 'keyword' as const },
    },
  },
}

export interface OpenSearchIndexOptions {
  /** With credentials, if the server asks for them. */
  readonly url: string
  /** Name of the index in OpenSearch. */
  readonly name: string
  readonly metrics: Registry
  /** Makes entries searchable before `put` resolves, instead of within a second. For tests. */
  readonly isImmediate?: boolean
}

/**
 * The search index in OpenSearch, one document a message, routed by room. It holds the same tokens as the MongoDB
 * index and therefore returns the same results: what a text is found by does not depend on where the index is.
 */
export class OpenSearchIndex implements SearchIndex {
  readonly #client: Client
  readonly #name: string
  readonly #metrics: StoreMetrics
  readonly #isImmediate: boolean
  #created: Promise<void> | undefined

  constructor({ url, name, metrics, isImmediate = false }: OpenSearchIndexOptions) {
    this.#client = connect(url)
    this.#name = name
    this.#metrics = new StoreMetrics(metrics)
    this.#isImmediate = isImmediate
  }

  /** Lucene intersects the tokens' posting lists: one query is enough, whatever the tokens. */
  async find({ roomIds, tokens, before, limit }: SearchRequest): Promise<SearchHits> {
    const { body } = await this.#run('search.find', () =>
      this.#client.search(
        {
          index: this.#name,
          ...(roomIds.length === 1 ? { routing: [String(roomIds[0])] } : {}),
          // Before the first entry there is no index yet.
          ignore_unavailable: true,
          body: {
            query: {
              bool: {
                filter: [
                  { terms: { room_id: [...roomIds] } },
                  ...tokens.map((token) => ({ term: { tokens: { value: token } } })),
                ],
              },
            },
            sort: [{ at: { order: 'desc' } }, { message_id: { order: 'desc' } }],
            ...(before ? { search_after: [before.at.getTime(), before.id] } : {}),
            size: limit,
            track_total_hits: false,
            _source: false,
          },
        },
        { requestTimeout: FIND_DEADLINE_MS },
      ),
    )
    const hits = body.hits.hits.map(({ sort }) => ({ at: new Date(Number(sort![0])), id: String(sort![1]) }))
    return { hits, next: hits.length === limit ? hits.at(-1)! : null }
  }

  async put(entries: readonly SearchEntry[]): Promise<void> {
    if (entries.length === 0) return
    await this.prepare()
    const { body } = await this.#run('search.insert', () =>
      this.#client.bulk({
        index: this.#name,
        refresh: this.#isImmediate,
        body: entries.flatMap(toOperation),
      }),
    )
    if (!body.errors) return
    const failure = body.items
      .map((item) => item.index)
      // A version conflict means that a newer entry is already stored.
      .find((item) => item?.error && item.status !== VERSION_CONFLICT)
    if (failure) throw new StoreUnavailable('opensearch', new Error(failure.error!.reason ?? 'bulk failed'))
  }

  prepare(): Promise<void> {
    this.#created ??= this.#create().catch((err: unknown) => {
      this.#created = undefined
      throw err
    })
    return this.#created
  }

  /** Of several processes one creates the index. */
  async #create(): Promise<void> {
    await this.#run('search.create_indexes', () =>
      this.#client.indices.create({ index: this.#name, body: index }).catch((err: unknown) => {
        if (typeOf(err) !== 'resource_already_exists_exception') throw err
      }),
    )
  }

  async ping(): Promise<void> {
    await this.#run('ping', () => this.#client.ping())
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  async #run<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#metrics.measure('opensearch', operation, work)
    } catch (err) {
      throw isOutage(err) ? new StoreUnavailable('opensearch', err) : err
    }
  }
}

/** Opens no connection before the first request. */
function connect(url: string): Client {
  const node = new URL(url)
  const { username, password } = node
  node.username = node.password = ''
  const auth = { username: decodeURIComponent(username), password: decodeURIComponent(password) }
  return new Client({
    node: node.href,
    ...(username ? { auth } : {}),
    requestTimeout: UPDATE_DEADLINE_MS,
    maxRetries: 0,
  })
}

function toOperation({ messageId, roomId, at, version, tokens }: SearchEntry) {
  return [
    { index: { _id: messageId, routing: String(roomId), version, version_type: 'external_gte' } },
    { message_id: messageId, room_id: roomId, at: at.getTime(), tokens },
  ]
}

function typeOf(err: unknown): string | undefined {
  return err instanceof errors.ResponseError ? err.body?.error?.type : undefined
}

/** No response, an overloaded server, or shards that are not available. */
function isOutage(err: unknown): boolean {
  if (err instanceof errors.ResponseError) return (err.statusCode ?? 500) >= 500 || err.statusCode === 429
  return err instanceof errors.OpenSearchClientError
}

/** A position in the order of search results: newest first, then by id. */
export interface SearchPosition {
  readonly at: Date
  readonly id: string
}

/** The indexed data of a message. A message without tokens is never found. */
export interface SearchEntry {
  readonly messageId: string
  readonly roomId: number
  readonly at: Date
  /** The last change included in the entry. An entry never replaces a newer one. */
  readonly version: number
  readonly tokens: readonly string[]
}

export interface SearchRequest {
  readonly roomIds: readonly number[]
  /** Required tokens of a match. At least one. */
  readonly tokens: readonly string[]
  /** Exclusive; starts at the newest when undefined. */
  readonly before?: SearchPosition | undefined
  readonly limit: number
  /** Deadline after which matches so far are returned, by `performance.now()`. */
  readonly until: number
}

export interface SearchHits {
  /** Newest first. May contain messages that do not match; never omits one that does. */
  readonly hits: readonly SearchPosition[]
  /** The position to continue from; null when nothing older exists. */
  readonly next: SearchPosition | null
}

/** Finds messages by their tokens. */
export interface SearchIndex {
  /** Creates what the index needs in its store, once per process. */
  prepare(): Promise<void>
  /** Bounded in time for any tokens and rooms: stops at `until`, after at least one step. */
  find(request: SearchRequest): Promise<SearchHits>
  put(entries: readonly SearchEntry[]): Promise<void>
}

/** Orders newest first. */
export function compare(a: SearchPosition, b: SearchPosition): number {
  return b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
}

export function isOlder(position: SearchPosition, than: SearchPosition | undefined): boolean {
  return than === undefined || compare(position, than) > 0
}

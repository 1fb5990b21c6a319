/** A place in the order of search results: newest first, then by id. */
export interface SearchPosition {
  readonly at: Date
  readonly id: string
}

/** What the index knows of a message. A message without tokens is found by nothing. */
export interface SearchEntry {
  readonly messageId: string
  readonly roomId: number
  readonly at: Date
  /** The last change of the message that is in the entry. An entry never replaces a newer one. */
  readonly version: number
  readonly tokens: readonly string[]
}

export interface SearchRequest {
  readonly roomIds: readonly number[]
  /** All of them must be among a message's tokens. At least one. */
  readonly tokens: readonly string[]
  /** Exclusive; from the newest on without it. */
  readonly before?: SearchPosition | undefined
  readonly limit: number
  /** When to stop and return what has been found, by `performance.now()`. */
  readonly until: number
}

export interface SearchHits {
  readonly hits: readonly SearchPosition[]
  /** Where to go on; null when there is nothing older. */
  readonly next: SearchPosition | null
}

/** Finds messages by their tokens. */
export interface SearchIndex {
  /** Bounded in time whatever the tokens: stops at `until`, after at least one step. */
  find(request: SearchRequest): Promise<SearchHits>
  put(entries: readonly SearchEntry[]): Promise<void>
}

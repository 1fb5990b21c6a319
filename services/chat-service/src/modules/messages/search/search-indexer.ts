import { setTimeout as delay } from 'node:timers/promises'
import { messageDeleted, messageEdited, messageSent } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import { upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import type { HistoryRange } from '../log/message.repository.ts'
import type { MessageRecord } from '../message.ts'
import type { SearchEntry, SearchIndex } from './search-index.ts'
import { indexTokens } from './search-tokens.ts'

/** Reads the current state of messages. */
export interface SearchSource {
  history(roomId: number, range: HistoryRange): Promise<readonly MessageRecord[]>
  byIds(ids: readonly string[]): Promise<ReadonlyMap<string, MessageRecord>>
}

const PAGE = 500
/** A busy room is indexed this often: each time costs a read and an insert, whatever the number of messages. */
const PACE_MS = 500
const ROOMS = 10_000
const END = 999_999_999_999

/**
 * Updates the search index on message events. Entries are built from the current state of the message, so
 * duplicate and late events are harmless, and the messages after an event's message are indexed together with
 * it.
 */
export class SearchIndexer {
  readonly #source: SearchSource
  readonly #index: SearchIndex
  /** By room: everything from some event up to `seq` is indexed; the next time is not before `nextAt`. Only an optimization. */
  readonly #indexed = new LRUCache<number, { readonly seq: number; readonly nextAt: number }>(
    upToEntries(ROOMS),
  )

  constructor(source: SearchSource, index: SearchIndex) {
    this.#source = source
    this.#index = index
  }

  handlers(): Subscription[] {
    const refresh = ({ message_id }: { message_id: string }) => this.refresh([message_id])
    return [
      on(messageSent, ({ room_id, seq }, { signal }) => this.sent(room_id, seq, signal)),
      on(messageEdited, refresh),
      on(messageDeleted, refresh),
    ]
  }

  /**
   * Indexes a message and those after it, at most one page. Waits while the room was indexed less than 0.5 s ago, unless more
   * messages are pending than fit on a page. Messages of a room must arrive in order.
   */
  async sent(roomId: number, seq: number, signal?: AbortSignal): Promise<void> {
    const last = this.#indexed.get(roomId)
    if (last && seq <= last.seq) return
    const waitMs = (last?.nextAt ?? 0) - performance.now()
    if (waitMs > 0) await delay(waitMs, undefined, signal && { signal }).catch(() => undefined)
    const range = { after: seq - 1, before: END, order: 'oldest', limit: PAGE } as const
    const messages = await this.#source.history(roomId, range)
    await this.#index.put(messages.flatMap(entryOf))
    const nextAt = messages.length === PAGE ? 0 : performance.now() + PACE_MS
    this.#indexed.set(roomId, { seq: messages.at(-1)?.seq ?? seq, nextAt })
  }

  /** Indexes the current state of the messages. */
  async refresh(messageIds: readonly string[]): Promise<void> {
    const messages = await this.#source.byIds(messageIds)
    await this.#index.put([...messages.values()].flatMap(entryOf))
  }
}

/** Returns the entry of a message; none for a system message, which has no author's text. */
export function entryOf(message: MessageRecord): SearchEntry[] {
  if (message.messageType === 'system') return []
  const tokens = message.isDeleted ? [] : indexTokens(message.content)
  const { messageId, roomId, createdAt, cseq } = message
  return [{ messageId, roomId, at: new Date(createdAt), version: cseq, tokens }]
}

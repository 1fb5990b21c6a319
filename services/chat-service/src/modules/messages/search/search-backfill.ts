import type { SearchBackfillRepository } from './search-backfill.repository.ts'
import type { SearchIndex } from './search-index.ts'
import { entryOf } from './search-indexer.ts'

const PAGE = 500

export interface SearchBackfillOptions {
  readonly state: SearchBackfillRepository
  readonly index: SearchIndex
  /** Asked after each page of 500 messages. */
  readonly isStopping?: () => boolean
  readonly onPage?: (messages: number) => void
}

/**
 * Fills the search index with messages from before it, once, by one process at a time; a process that dies is followed by
 * another that goes on where it was. Messages that are sent, edited or deleted meanwhile are the indexer's, whose entries win.
 *
 * @returns false when it is not complete: another process is at it, or this one stops
 */
export async function backfillSearch(options: SearchBackfillOptions): Promise<boolean> {
  const { state, index, isStopping = () => false, onPage } = options
  const claimed = await state.claim()
  if (claimed === 'done') return true
  if (claimed === 'busy') return false
  for (let { after } = claimed; !isStopping(); ) {
    const messages = await state.messagesAfter(after, PAGE)
    await index.put(messages.flatMap(entryOf))
    const done = messages.length < PAGE
    after = messages.at(-1)?.messageId ?? after
    if (!(await state.advance(after, done))) return false
    onPage?.(messages.length)
    if (done) return true
  }
  return false
}

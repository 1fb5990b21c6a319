import type { SearchBackfillRepository } from './search-backfill.repository.ts'
import type { SearchIndex } from './search-index.ts'
import { entryOf } from './search-indexer.ts'

const PAGE = 500

export interface SearchBackfillOptions {
  readonly state: SearchBackfillRepository
  readonly index: SearchIndex
  /** Checked after each page of 500 messages. */
  readonly isStopping?: () => boolean
  readonly onPage?: (messages: number) => void
}

/**
 * Indexes all existing messages once, one process at a time; another process resumes where a dead one
 * stopped. The indexer handles messages changed in the meantime, and its entries win.
 *
 * @returns false when incomplete: another process runs it, or this one stops
 */
export async function backfillSearch(options: SearchBackfillOptions): Promise<boolean> {
  const { state, index, isStopping = () => false, onPage } = options
  await index.prepare()
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

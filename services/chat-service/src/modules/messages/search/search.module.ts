import type { Service } from '@bigtech/service-kit'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { SearchBackfillRepository } from './search-backfill.repository.ts'
import { backfillSearch } from './search-backfill.ts'
import { MongoSearchIndex } from './search-index.repository.ts'
import type { SearchIndex } from './search-index.ts'
import { SearchIndexer, type SearchSource } from './search-indexer.ts'

const BACKFILL_EVERY_MS = 10_000

/**
 * Wires the search index: a separate consumer group updates it, about a second behind the messages; the first
 * process to start indexes existing messages once.
 */
export function createSearch(options: {
  service: Service
  store: MongoStore
  source: SearchSource
}): SearchIndex {
  const { service, store, source } = options
  const index = new MongoSearchIndex(store)
  const indexer = new SearchIndexer(source, index)
  // From the earliest offset, so that messages sent during the first backfill are not missed.
  service.subscribe('search', indexer.handlers())
  const state = new SearchBackfillRepository(store)
  let isComplete = false
  service.every({
    name: 'search backfill',
    everyMs: BACKFILL_EVERY_MS,
    run: async () => {
      if (isComplete) return
      const isStopping = () => service.lifecycle.isStopping
      isComplete = await backfillSearch({ state, index, isStopping })
      if (isComplete) service.log.info('search index complete')
    },
  })
  return index
}

/** Reindexes all messages. */
export async function rebuildSearch(store: MongoStore, onPage: (messages: number) => void): Promise<void> {
  const state = new SearchBackfillRepository(store)
  await state.restart()
  await backfillSearch({ state, index: new MongoSearchIndex(store), onPage })
}

import type { Service } from '@bigtech/service-kit'
import type { Registry } from 'prom-client'
import type { ChatConfig } from '../../../config.ts'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { SearchBackfillRepository } from './search-backfill.repository.ts'
import { backfillSearch } from './search-backfill.ts'
import { MongoSearchIndex } from './search-index.repository.ts'
import type { SearchIndex } from './search-index.ts'
import { SearchIndexer, type SearchSource } from './search-indexer.ts'

const BACKFILL_EVERY_MS = 10_000

export type SearchConfig = Pick<ChatConfig, 'OPENSEARCH_URL' | 'OPENSEARCH_INDEX'>

interface OpenedIndex {
  readonly index: SearchIndex
  /** How far this index has been filled. A new one is filled from the first message on. */
  readonly state: SearchBackfillRepository
  ping?(): Promise<unknown>
  close?(): Promise<void>
}

/**
 * Wires the search index: a separate consumer group updates it, about a second behind the messages; the first
 * process to start indexes existing messages once.
 */
export async function createSearch(options: {
  service: Service
  store: MongoStore
  source: SearchSource
  config: SearchConfig
}): Promise<SearchIndex> {
  const { service, store, source, config } = options
  const { index, state, ping, close } = await openIndex(store, config, service.metrics)
  if (ping) service.readiness.add({ name: 'opensearch', ping, optional: true })
  if (close) service.lifecycle.onStop('stores', 'opensearch', close)
  const indexer = new SearchIndexer(source, index)
  // From the earliest offset, so that messages sent during the first backfill are not missed. A group of its own, because processes of
  // the former release in the group `search` would write messages to the former index only.
  service.subscribe('search-blocks', indexer.handlers(), { gatherMs: 400 })
  let isComplete = false
  service.every({
    name: 'search backfill',
    everyMs: BACKFILL_EVERY_MS,
    run: async () => {
      if (isComplete) return
      const isStopping = () => service.lifecycle.isStopping
      isComplete = await backfillSearch({ state, index, isStopping })
      if (!isComplete) return
      service.log.info('search index complete')
      await state.dropFormer()
    },
  })
  return index
}

/** Reindexes all messages. */
export async function rebuildSearch(options: {
  store: MongoStore
  config: SearchConfig
  metrics: Registry
  onPage: (messages: number) => void
}): Promise<void> {
  const { store, config, metrics, onPage } = options
  const { index, state, close } = await openIndex(store, config, metrics)
  try {
    await state.restart()
    await backfillSearch({ state, index, onPage })
  } finally {
    await close?.()
  }
}

async function openIndex(store: MongoStore, config: SearchConfig, metrics: Registry): Promise<OpenedIndex> {
  const { OPENSEARCH_URL: url, OPENSEARCH_INDEX: name } = config
  if (url === undefined) {
    return { index: new MongoSearchIndex(store), state: new SearchBackfillRepository(store) }
  }
  // Loaded only where it is configured: the client costs memory and start-up time.
  const { OpenSearchIndex } = await import('./opensearch-index.ts')
  const index = new OpenSearchIndex({ url, name, metrics })
  const state = new SearchBackfillRepository(store, `opensearch:${name}`)
  return { index, state, ping: () => index.ping(), close: () => index.close() }
}

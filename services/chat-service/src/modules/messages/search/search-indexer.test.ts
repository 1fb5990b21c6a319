import { expect, it } from 'vitest'
import type { MessageRecord } from '../message.ts'
import { SearchIndexer, type SearchSource } from './search-indexer.ts'

/** A room with this many messages, and the number of entries in each command to its index. */
function setUp(messages: number) {
  const record = (seq: number) =>
    ({
      messageId: `1:${seq}`,
      roomId: 1,
      seq,
      messageType: 'text',
      content: 'tea',
      createdAt: 0,
      cseq: 0,
    }) as MessageRecord
  const all = Array.from({ length: messages }, (_, index) => record(index + 1))
  const source: SearchSource = {
    history: async (_roomId, { after, limit }) => all.slice(after, after + limit),
    byIds: async () => new Map(),
  }
  const puts: string[][] = []
  const indexer = new SearchIndexer(source, {
    put: async (entries) => void puts.push(entries.map(({ messageId }) => messageId)),
    prepare: async () => undefined,
    find: async () => ({ hits: [], next: null }),
  })
  return { indexer, puts, ids: all.map(({ messageId }) => messageId) }
}

it('the search indexer indexes the messages after that of an event, a page at once, and each only once', async () => {
  const { indexer, puts, ids } = setUp(520)
  for (const seq of [1, 2, 501]) await indexer.sent(1, seq)
  expect(puts.map(({ length }) => length)).toEqual([500, 20])
  expect(puts.flat()).toEqual(ids)
})

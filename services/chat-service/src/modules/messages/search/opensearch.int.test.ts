import { waitFor } from '@bigtech/testkit'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestRooms, type TestRooms } from '../../../../testing/rooms.ts'
import { describeSearchIndex, newSearchRoom, searchEntry } from '../../../../testing/search-index.ts'
import { OpenSearchIndex } from './opensearch-index.ts'
import type { SearchPosition } from './search-index.ts'

// `npm run opensearch` starts the server and names it here.
const url = process.env.OPENSEARCH_TEST_URL

describe.runIf(url)('with OpenSearch', () => {
  const name = `test-${process.pid}-${Date.now()}`
  const open = () => new OpenSearchIndex({ url: url!, name, metrics: new Registry(), isImmediate: true })
  let rooms: TestRooms
  beforeAll(async () => {
    rooms = await startTestRooms({ OPENSEARCH_URL: url!, OPENSEARCH_INDEX: `${name}-rooms` })
  }, 60_000)
  afterAll(() => rooms?.close())

  describeSearchIndex('the search index in OpenSearch', open)

  it('OpenSearch returns each entry of one millisecond once when a client pages through them', async () => {
    const index = open()
    const roomId = newSearchRoom()
    await index.put(Array.from({ length: 25 }, (_, n) => searchEntry(roomId, n, ['same'], 7)))
    const ids: string[] = []
    let before: SearchPosition | undefined
    do {
      const page = await index.find({ roomIds: [roomId], tokens: ['same'], limit: 4, until: 0, before })
      ids.push(...page.hits.map(({ id }) => id))
      before = page.next ?? undefined
    } while (before)
    expect(new Set(ids).size).toBe(25)
    expect(ids).toEqual(ids.toSorted().reverse())
  })

  it('chat-service finds messages as sent and edited, and no longer once they are deleted', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const message = await rooms.send(a, roomId, '첫 번째 자두')
    await rooms.send(b, roomId, 'a second plum')
    const count = async (q: string) => {
      const url = `/messages/search?q=${encodeURIComponent(q)}&room_id=${roomId}`
      return (await rooms.as(b, 'GET', url)).body.items?.length
    }
    // Searches are limited to 30 a minute.
    const until = (isSo: () => Promise<boolean>) => waitFor(isSo, { intervalMs: 700, timeoutMs: 20_000 })
    await until(async () => (await count('자두')) === 1 && (await count('plum')) === 1)
    const address = `/messages/${roomId}/${message.message_id}`
    await rooms.as(a, 'PATCH', address, { content: '첫 번째 복숭아' })
    await until(async () => (await count('복숭아')) === 1 && (await count('자두')) === 0)
    await rooms.as(a, 'DELETE', address)
    await until(async () => (await count('복숭아')) === 0)
  }, 60_000)

  it('a new index is filled with the messages from before it', async () => {
    const [a] = await rooms.chat.people(1)
    const roomId = await rooms.room(a)
    await rooms.send(a, roomId, 'from before')
    const later = await rooms.chat.another({ OPENSEARCH_INDEX: `${name}-later` })
    const search = `/messages/search?q=before&room_id=${roomId}`
    await waitFor(
      async () => (await rooms.chat.as(a, 'GET', search, undefined, later)).body.items?.length === 1,
      { intervalMs: 700, timeoutMs: 30_000 },
    )
  }, 60_000)
})

it('while OpenSearch is unavailable a search returns 503, and messages are still sent', async () => {
  const rooms = await startTestRooms({ OPENSEARCH_URL: 'http://127.0.0.1:9' })
  try {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    await rooms.send(a, roomId, 'hello')
    const answer = await rooms.as(a, 'GET', `/messages/search?q=hello&room_id=${roomId}`)
    expect([answer.status, answer.body.code]).toEqual([503, 'UNAVAILABLE'])
  } finally {
    await rooms.close()
  }
}, 60_000)

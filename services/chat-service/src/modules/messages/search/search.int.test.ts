import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { StoreMetrics } from '@bigtech/stores'
import mongoose, { type Connection, type mongo } from 'mongoose'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestRooms, type TestRooms, upTo } from '../../../../testing/rooms.ts'
import { describeSearchIndex, newSearchRoom, searchEntry } from '../../../../testing/search-index.ts'
import { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { SearchBackfillRepository } from './search-backfill.repository.ts'
import { backfillSearch } from './search-backfill.ts'
import { type BlockDocument, versionsOf } from './search-blocks.ts'
import { MongoSearchIndex } from './search-index.repository.ts'
import { compare, type SearchIndex, type SearchPosition, type SearchRequest } from './search-index.ts'

let rooms: TestRooms
let connection: Connection
let store: MongoStore

beforeAll(async () => {
  rooms = await startTestRooms()
  connection = await mongoose.createConnection(rooms.chat.config.MONGO_URL).asPromise()
  store = new MongoStore(connection, new StoreMetrics(new Registry()))
}, 60_000)
afterAll(async () => {
  await connection?.close()
  await rooms?.close()
})

const boundsOf = (step: number) => ({ firstBlocks: step, stepBlocks: step, firstRead: step, stepRead: step })

const search = async (userId: number, roomId: number, q: string): Promise<number[]> => {
  const url = `/messages/search?q=${encodeURIComponent(q)}&room_id=${roomId}`
  const { status, body } = await rooms.as(userId, 'GET', url)
  expect(status).toBe(200)
  return body.items.map(({ seq }: { seq: number }) => seq)
}

describe('the search index', () => {
  it('the search index follows sends, edits and deletions', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const message = await rooms.send(a, roomId, 'the first plum')
    await rooms.send(b, roomId, 'a second plum')
    await rooms.indexed(roomId)
    expect(await search(b, roomId, 'plum')).toEqual([2, 1])
    const url = `/messages/${roomId}/${message.message_id}`
    await rooms.as(a, 'PATCH', url, { content: 'the first peach' })
    await rooms.indexed(roomId)
    expect(await search(b, roomId, 'plum')).toEqual([2])
    expect(await search(b, roomId, 'peach')).toEqual([1])
    await rooms.as(a, 'DELETE', url)
    await rooms.indexed(roomId)
    expect(await search(b, roomId, 'peach')).toEqual([])
  })

  it('a message that the index returns without the searched word is not among the results', async () => {
    const [a] = await rooms.chat.people(1)
    const roomId = await rooms.room(a)
    const message = await rooms.send(a, roomId, 'a first peach')
    await rooms.send(a, roomId, 'a second plum')
    await rooms.indexed(roomId)
    const collision = {
      ...searchEntry(roomId, message.seq, ['plum', 'peach'], 1, 1),
      messageId: message.message_id,
    }
    await new MongoSearchIndex(store).put([collision])
    expect(await search(a, roomId, 'plum')).toEqual([2])
    expect(await search(a, roomId, 'peach')).toEqual([1])
  })

  it('a search for common words that never occur together returns partial results, and continues by cursor to the end', async () => {
    const [a] = await rooms.chat.people(1)
    const roomId = await rooms.room(a)
    const index = new MongoSearchIndex(store, boundsOf(1))
    const words = (n: number) => (n === 0 ? ['tea', 'milk'] : [n % 2 === 0 ? 'tea' : 'milk'])
    await index.put(upTo(160).map((n) => searchEntry(roomId, n - 1, words(n - 1))))
    const request = { roomIds: [roomId], tokens: ['tea', 'milk'], limit: 5, until: 0 }
    const first = await index.find(request)
    expect(first).toMatchObject({ hits: [], next: { at: new Date(128) } })
    const found: SearchPosition[] = []
    let steps = 1
    for (let { next } = first; next !== null; steps++) {
      const page = await index.find({ ...request, before: next })
      found.push(...page.hits)
      next = page.next
    }
    expect(steps).toBeGreaterThan(3)
    expect(found).toMatchObject([{ at: new Date(0) }])
  })
})

describeSearchIndex(
  'the search index in MongoDB',
  (step) => new MongoSearchIndex(store, step ? boundsOf(step) : {}),
)

describe('a search over many rooms', () => {
  const hour = 3_600_000
  const year = 365 * 24 * hour
  /** Four busy rooms, and ten whose few messages are almost a year apart in one block. */
  const manyRooms = () => {
    const start = Date.now() - 3 * year
    const [busy, quiet] = [upTo(4), upTo(10)].map((rooms) => rooms.map(newSearchRoom)) as [number[], number[]]
    const entries = [
      ...busy.flatMap((roomId, r) =>
        upTo(15).map((n) =>
          searchEntry(roomId, n * 32, [n % 2 ? 'tea' : 'milk', 'any'], start + n * hour + r),
        ),
      ),
      ...quiet.flatMap((roomId, r) =>
        upTo(3).map((n) => searchEntry(roomId, n, ['any'], start + r + n * 0.9 * year)),
      ),
    ]
    return { roomIds: [...busy, ...quiet], entries }
  }
  const pagesOf = async (index: SearchIndex, request: Omit<SearchRequest, 'before' | 'until'>) => {
    const pages = [await index.find({ ...request, until: 0 })]
    for (let before = pages[0]!.next; before !== null; before = pages.at(-1)!.next)
      pages.push(await index.find({ ...request, before, until: 0 }))
    return pages
  }

  it('a search over many rooms stops at its deadline, and its pages return every message once, newest first', async () => {
    const { roomIds, entries } = manyRooms()
    const index = new MongoSearchIndex(store, boundsOf(20))
    await index.put(entries)
    const never = await pagesOf(index, { roomIds, tokens: ['tea', 'milk'], limit: 20 })
    expect(never.length).toBeGreaterThan(3)
    expect(never.flatMap(({ hits }) => hits)).toEqual([])
    const found = (await pagesOf(index, { roomIds, tokens: ['any'], limit: 20 })).flatMap(({ hits }) => hits)
    const expected = entries.map(({ messageId: id, at }) => ({ at, id })).sort(compare)
    expect(found).toEqual(expected)
  })

  it('no query of a search over many rooms compares more blocks than the bounds allow', async () => {
    const { roomIds, entries } = manyRooms()
    const url = rooms.chat.config.MONGO_URL
    const watched = await mongoose.createConnection(url, { monitorCommands: true }).asPromise()
    const filters: mongo.Filter<BlockDocument>[] = []
    watched.getClient().on('commandStarted', ({ commandName, command }) => {
      if (commandName === 'find' && command.filter.until) filters.push(command.filter)
      if (commandName === 'aggregate' && !command.pipeline[1].$limit) filters.push(command.pipeline[0].$match)
    })
    const index = new MongoSearchIndex(
      new MongoStore(watched, new StoreMetrics(new Registry())),
      boundsOf(20),
    )
    await index.put(entries)
    for (const tokens of [['any'], ['tea', 'milk'], ['unknown']])
      await pagesOf(index, { roomIds, tokens, limit: 50 })
    await watched.close()
    expect(filters.length).toBeGreaterThan(20)
    const blocks = rooms.db.collection<BlockDocument>('search_blocks')
    for (const { room_id, until } of filters) {
      const compared = await blocks.countDocuments({ room_id, until } as never)
      expect(compared, JSON.stringify(until)).toBeLessThanOrEqual(20)
    }
  })

  it('finds a message although a new message of its room arrives during the search', async () => {
    const [busy, quiet] = [newSearchRoom(), newSearchRoom()]
    const now = Date.now()
    const plain = new MongoSearchIndex(store)
    await plain.put([searchEntry(busy, 1, ['pear'], now), searchEntry(quiet, 1, ['plum'], now - year)])
    let queries = 0
    class Interrupted extends MongoStore {
      override async run<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
        const result = await super.run(operation, work)
        if (operation === 'search.find' && queries++ === 0)
          await plain.put([searchEntry(quiet, 2, ['new'], now)])
        return result
      }
    }
    const index = new MongoSearchIndex(new Interrupted(connection, new StoreMetrics(new Registry())))
    const { hits } = await index.find({
      roomIds: [busy, quiet],
      tokens: ['plum'],
      limit: 5,
      until: Number.POSITIVE_INFINITY,
    })
    expect(hits.length).toBe(1)
    expect(queries).toBeGreaterThan(0)
  })

  it('looks up the blocks of 2,000 rooms by their rooms and times in the index, and replaces the index of an earlier release', async () => {
    const blocks = rooms.db.collection<BlockDocument>('search_blocks')
    await blocks.createIndex({ room_id: 1, from: -1, _id: -1 }, { name: 'time' })
    await backfillSearch({ state: new SearchBackfillRepository(store), index: new MongoSearchIndex(store) })
    expect((await blocks.indexes()).map(({ name }) => name).sort()).toEqual(['_id_', 'until'])
    const filter = { room_id: { $in: upTo(2_000) }, until: { $gte: new Date(0), $lt: new Date() } }
    const plan = JSON.stringify(await blocks.find(filter).sort({ until: -1 }).limit(5).explain())
    expect(plan.replace(/"IndexCosts":\[[^\]]*\]/g, '')).toMatch(/"indexName":"until"|"Index Name":"until"/)
  })
})

describe('messages from before the index', () => {
  const forget = () => rooms.db.collection('search_blocks').deleteMany({})
  const state = () => new SearchBackfillRepository(store)

  it('messages from before the index are indexed once, by one process at a time, and another process resumes after an interruption', async () => {
    const [a] = await rooms.chat.people(1)
    const roomId = await rooms.room(a)
    const messages = upTo(1_200).map((n) => ({
      _id: `${roomId}:9${String(n).padStart(11, '0')}`,
      room_id: roomId,
      user_id: a,
      username: 'a',
      message_type: 'text',
      created_at: new Date(n),
      event_id: `e${n}`,
      content: `old ${n}`,
      cseq: 0,
      rev: 0,
      is_deleted: false,
      reactions: [],
    }))
    await rooms.db.collection('messages').insertMany(messages as never)
    await forget()
    const index = new MongoSearchIndex(store)
    const first = state()
    await first.restart()
    let pages = 0
    const stopped = await backfillSearch({
      state: first,
      index,
      isStopping: () => pages > 0,
      onPage: () => pages++,
    })
    expect(stopped).toBe(false)
    expect(await backfillSearch({ state: state(), index })).toBe(false)
    await rooms.db.collection('search_state').updateOne({}, { $set: { lease_until: new Date(0) } })
    let later = 0
    const count = (messages: number) => {
      later += messages
    }
    expect(await backfillSearch({ state: state(), index, onPage: count })).toBe(true)
    const blocks = await rooms.db
      .collection<BlockDocument>('search_blocks')
      .find({ room_id: roomId })
      .toArray()
    expect(blocks.flatMap((block) => [...versionsOf(block)]).length).toBe(1_200)
    const all = await rooms.db.collection('messages').countDocuments()
    expect(later).toBe(all - 500)
    expect(await backfillSearch({ state: state(), index, onPage: () => expect.unreachable() })).toBe(true)
  })

  it('removes the index of former releases with its state, and succeeds when it is gone', async () => {
    const [entries, states] = ['search_entries', 'search_state'].map((name) =>
      rooms.db.collection<{ _id: string }>(name),
    ) as [mongo.Collection<{ _id: string }>, mongo.Collection<{ _id: string }>]
    await entries.insertOne({ _id: '1:000000000001' })
    await states.insertOne({ _id: 'backfill' })
    for (const _ of upTo(2)) await state().dropFormer()
    expect(await entries.countDocuments()).toBe(0)
    expect(await states.findOne({ _id: 'backfill' })).toBeNull()
  })

  it('the command reindexes messages while the service runs', async () => {
    const [a] = await rooms.chat.people(1)
    const roomId = await rooms.room(a)
    await rooms.send(a, roomId, 'kept in the log')
    await rooms.indexed(roomId)
    await forget()
    expect(await search(a, roomId, 'kept')).toEqual([])
    const command = join(import.meta.dirname, '..', '..', '..', 'rebuild-search.ts')
    const env = { PATH: process.env.PATH, MONGO_URL: rooms.chat.config.MONGO_URL }
    const { stdout } = await promisify(execFile)(process.execPath, [command], { env })
    expect(stdout).toMatch(/^Done: \d+ messages\.$/m)
    expect(await search(a, roomId, 'kept')).toEqual([1])
  })
})

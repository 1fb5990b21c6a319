import { availableParallelism } from 'node:os'
import { loadConfig, readPositionals } from '@bigtech/service-kit'
import mongoose, { type Connection } from 'mongoose'
import { Agent, request } from 'undici'
import { z } from 'zod'
import {
  type BlockDocument,
  blockIdOf,
  searchBlocks,
  withEntries,
} from '../../services/chat-service/src/modules/messages/search/search-blocks.ts'
import { searchIndexes } from '../../services/chat-service/src/modules/messages/search/search-index.repository.ts'
import { indexTokens } from '../../services/chat-service/src/modules/messages/search/search-tokens.ts'
import { startChatSubject } from './chat-subject.ts'
import { filledAt, filledId, fillRoom } from './fill.ts'
import { measure } from './measure.ts'
import { aimsOf, type FigureAim } from './report.ts'

const usage = `Usage: node tests/load/search.ts
Searches in a room of a million messages: one to three words, common or rare, together or never, beside the driver's page of
as many messages. A search that examines too much returns a part and a cursor; "pages to the end" counts the requests until all
results have arrived. Then in 100 rooms of 12,800 messages at once. Fails if a search is refused. Takes about ten minutes, most of which fills the index.

    BIGTECH_SERVERS_FILE=... node tests/load/search.ts
    SEARCH_LOAD_MESSAGES=50000 ...     a smaller room, for a trial run`

readPositionals(usage)
const { SEARCH_LOAD_MESSAGES: total } = loadConfig(
  z.object({ SEARCH_LOAD_MESSAGES: z.coerce.number().int().min(10_000).default(1_000_000) }),
)
const ROOM = 1
/** A user may search 30 times a minute. */
const USERS = 900
/** Rooms of other users, which are searched together. */
const ROOMS = 100
const ROOM_MESSAGES = 12_800
/** Only the newest messages of each of these rooms exist outside of the index: enough for the first pages. */
const ROOM_DOCUMENTS = 64
const ROOM_USERS = 200
const PHASE_MS = 5_000
const startedAt = Date.now()
const IN_FLIGHT = [1, 4]
const LIMIT = 20
const MAX_PAGES = 1_000
const MAX_P99_MS = 300

/**
 * Returns the words of a message: "tea" or "milk" in each, never both; "cup" in every third; "sugar" in one of a thousand; "saffron" and
 * "cardamom" once each, in two old messages.
 */
function contentOf(n: number): string {
  return [
    n % 2 === 0 ? 'tea' : 'milk',
    n % 3 === 0 ? 'cup' : 'glass',
    ...(n % 1_000 === 0 ? ['sugar'] : []),
    ...(n === 100 ? ['saffron'] : []),
    ...(n === 200 ? ['cardamom'] : []),
    `n${n % 5_000}`,
  ].join(' ')
}

const SEARCHES = {
  'one common word': 'tea',
  'one rare word': 'saffron',
  'one unknown word': 'nutmeg',
  'two common words, together': 'tea cup',
  'two common words, never together': 'tea milk',
  'common and rare word, together': 'tea saffron',
  'common and rare word, never together': 'milk saffron',
  'two rare words, never together': 'saffron cardamom',
  'three common words, never together': 'tea milk cup',
  'three words, one rarer': 'tea cup sugar',
} as const

/** Those in many rooms. The last three compare all blocks. */
const MANY_SEARCHES = {
  'one common word': 'tea',
  'one unknown word': 'nutmeg',
  'two common words, together': 'tea cup',
  'two common words, never together': 'tea milk',
} as const

async function fill(connection: Connection): Promise<void> {
  const db = connection.db!
  const blocks = db.collection<BlockDocument>(searchBlocks)
  // Before the documents, as in a room that has grown.
  await blocks.createIndexes([...searchIndexes])
  let open: BlockDocument | undefined
  await fillRoom(connection, ROOM, total, contentOf, async (numbers) => {
    const filled = blocksOf(ROOM, numbers, filledAt, open)
    // The last block may get more messages from the next batch.
    open = filled.pop()!
    if (filled.length > 0) await blocks.insertMany(filled, { ordered: false })
  })
  await blocks.insertOne(open!)
  for (let roomId = ROOM + 1; roomId <= ROOM + ROOMS; roomId++) {
    const numbers = Array.from({ length: ROOM_MESSAGES }, (_, index) => index + 1)
    await blocks.insertMany(blocksOf(roomId, numbers, recentIn(roomId)), { ordered: false })
    const first = ROOM_MESSAGES - ROOM_DOCUMENTS + 1
    await fillRoom(connection, roomId, ROOM_MESSAGES, contentOf, undefined, first)
  }
}

/** Times of a room that is busy until now, each room at other moments. */
function recentIn(roomId: number): (n: number) => Date {
  return (n) => new Date(startedAt - (ROOM_MESSAGES - n) * 1_000 - roomId * 7)
}

function blocksOf(
  roomId: number,
  numbers: readonly number[],
  atOf: (n: number) => Date,
  open?: BlockDocument,
): BlockDocument[] {
  const entries = numbers.map((n) => ({
    messageId: filledId(roomId, n),
    roomId,
    at: atOf(n),
    version: 0,
    tokens: indexTokens(contentOf(n)),
  }))
  return [...Map.groupBy(entries, ({ messageId }) => blockIdOf(messageId))].map(
    ([id, own]) => withEntries(id, open?._id === id ? open : undefined, own)!,
  )
}

interface Page {
  readonly items: readonly unknown[]
  readonly next_cursor: string | null
  readonly is_partial: boolean
}

const subject = await startChatSubject({
  beforeStart: async ({ mongoUrl }) => {
    const connection = await mongoose.createConnection(mongoUrl).asPromise()
    await fill(connection)
    await connection.close()
  },
})
const connection = await mongoose.createConnection(subject.mongoUrl, { maxPoolSize: 8 }).asPromise()
const agent = new Agent({ connections: 16 })
try {
  await subject.room(ROOM, USERS)
  for (let roomId = ROOM + 1; roomId <= ROOM + ROOMS; roomId++)
    await subject.room(roomId, ROOM_USERS, USERS + 1)
  const tokens = await Promise.all(
    Array.from({ length: USERS + ROOM_USERS }, (_, index) => subject.token(index + 1)),
  )
  let calls = 0
  let refused = 0
  /** @param scope undefined for all rooms of a user who is in many */
  const search = async (
    q: string,
    scope: number | undefined,
    cursor?: string | null,
  ): Promise<Page | undefined> => {
    const query = new URLSearchParams({
      q,
      limit: String(LIMIT),
      ...(scope ? { room_id: String(scope) } : {}),
      ...(cursor ? { cursor } : {}),
    })
    const user = scope ? calls++ % USERS : USERS + (calls++ % ROOM_USERS)
    const { statusCode, body } = await request(`${subject.url}/messages/search?${query}`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${tokens[user]}` },
    })
    const text = await body.text()
    if (statusCode === 200) return JSON.parse(text) as Page
    refused++
    console.error(`${q}: ${statusCode} ${text}`)
    return undefined
  }
  const messages = connection.db!.collection<{ _id: string }>('messages')
  const driver = (n: number) => {
    const start = 1 + (n % (total / 2_000)) * 1_000
    const range = { $gte: filledId(ROOM, start), $lt: filledId(ROOM, start + LIMIT + 1) }
    return messages.find({ _id: range }, { sort: { _id: -1 } }).toArray()
  }
  const rows: string[] = []
  const aims: FigureAim[] = []
  for (const inFlight of IN_FLIGHT) {
    const lean = await measure(inFlight, PHASE_MS, driver)
    rows.push(
      `| ${inFlight} | page of the driver | ${lean.perSecond.toFixed(0)} | ${lean.p50.toFixed(1)} / ${lean.p99.toFixed(1)} | | | |`,
    )
    for (const [name, q] of Object.entries(SEARCHES)) await measureSearch(inFlight, name, q, ROOM)
    for (const [name, q] of Object.entries(MANY_SEARCHES))
      await measureSearch(inFlight, `${ROOMS} rooms: ${name}`, q, undefined)
  }
  console.log(`Searches in a room of ${total.toLocaleString('en')} messages, and in ${ROOMS} rooms of ${ROOM_MESSAGES.toLocaleString('en')}, ${availableParallelism()} cores shared by everything

| in flight | what | per second | p50 / p99 ms | partial | pages to the end, found | refused |
|---|---|---|---|---|---|---|
${rows.join('\n')}

${aimsOf(aims)}`)

  async function measureSearch(inFlight: number, name: string, q: string, scope: number | undefined) {
    refused = 0
    let partial = 0
    await search(q, scope)
    const { count, perSecond, p50, p99 } = await measure(inFlight, PHASE_MS, async () => {
      if ((await search(q, scope))?.is_partial) partial++
    })
    const pages = inFlight === 1 ? await toTheEnd(q, scope) : undefined
    rows.push(
      `| ${inFlight} | ${name} | ${perSecond.toFixed(0)} | ${p50.toFixed(1)} / ${p99.toFixed(1)} | ${((partial / count) * 100).toFixed(0)} % | ${pages ?? ''} | ${refused} |`,
    )
    if (refused > 0) process.exitCode = 1
    if (inFlight === 1) aims.push({ what: `${name}, p99, ms`, figure: p99, atMost: MAX_P99_MS })
  }

  /** Follows the cursors of a search with few results. */
  async function toTheEnd(q: string, scope: number | undefined): Promise<string> {
    const times: number[] = []
    let found = 0
    let cursor: string | null | undefined
    do {
      const began = performance.now()
      const page = await search(q, scope, cursor)
      times.push(performance.now() - began)
      if (!page) break
      found += page.items.length
      cursor = page.next_cursor
    } while (cursor && found < 3 * LIMIT && times.length < MAX_PAGES)
    return `${times.length}${cursor ? '+' : ''}, ${found} (slowest ${Math.max(...times).toFixed(0)} ms)`
  }
} finally {
  await Promise.all([agent.close(), connection.close()])
  await subject.stop()
}

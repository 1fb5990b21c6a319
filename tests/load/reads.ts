import { availableParallelism } from 'node:os'
import { readPositionals } from '@bigtech/service-kit'
import mongoose from 'mongoose'
import { Agent, request } from 'undici'
import { startChatSubject } from './chat-subject.ts'
import { measureRows, readsTable, storeRequestsOf, timesAsOften } from './measure-reads.ts'
import { aimsOf } from './report.ts'

const usage = `Usage: node tests/load/reads.ts
A page of 50 messages, the list of rooms and a search, at 1 and 16 in flight: CPU and store requests of each, beside a
lean page of the driver and a request that needs nothing. Takes about 45 s.

    BIGTECH_SERVERS_FILE=... node tests/load/reads.ts`

readPositionals(usage)
const IN_FLIGHT = [1, 16]
const USERS = 20
const ROOMS = 10
const MESSAGES = 120
/** The only room of users who have read everything. */
const READ_ROOM = ROOMS + 1
/** A user may search 30 times a minute. */
const SEARCH_ROOM = ROOMS + 2
const SEARCHERS = 500
const CONTENT = '안녕하세요, 내일 회의는 세 시입니다. See you there!'

const subject = await startChatSubject()
const connection = await mongoose.createConnection(subject.mongoUrl, { maxPoolSize: 16 }).asPromise()
const agent = new Agent({ connections: 32 })
try {
  for (let room = 1; room <= ROOMS; room++) await subject.room(room, USERS)
  await subject.room(READ_ROOM, USERS, USERS + 1)
  await subject.room(SEARCH_ROOM, SEARCHERS, 2 * USERS + 1)
  const tokens = await Promise.all(
    Array.from({ length: 2 * USERS + SEARCHERS }, (_, index) => subject.token(index + 1)),
  )
  const call = async (method: 'GET' | 'POST' | 'PUT', url: string, n: number, body?: unknown) => {
    const response = await request(url, {
      method,
      dispatcher: agent,
      headers: { authorization: `Bearer ${tokens[n]}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const text = await response.body.text()
    if (response.statusCode >= 300) throw new Error(`${method} ${url}: ${response.statusCode} ${text}`)
  }
  for (let n = 0; n < ROOMS * MESSAGES; n += 20) {
    const some = Array.from({ length: 20 }, (_, index) => n + index)
    await Promise.all(
      some.map((each) =>
        call('POST', `${subject.url}/messages/${1 + (each % ROOMS)}`, each % USERS, { content: CONTENT }),
      ),
    )
  }
  for (let n = USERS; n < 2 * USERS; n++)
    await call('POST', `${subject.url}/messages/${READ_ROOM}`, n, { content: CONTENT })
  for (let n = 0; n < MESSAGES; n++)
    await call('POST', `${subject.url}/messages/${SEARCH_ROOM}`, 2 * USERS + (n % SEARCHERS), {
      content: CONTENT,
    })
  for (let n = USERS; n < 2 * USERS; n++)
    await call('PUT', `${subject.url}/rooms/${READ_ROOM}/read`, n, { seq: USERS })
  const page = connection.db!.collection<{ _id: string }>('messages')
  const lean = async (n: number) => {
    const room = 1 + (n % ROOMS)
    const filter = { _id: { $gte: `${room}:`, $lt: `${room};` } }
    await page.find(filter, { projection: { outbox: 0 }, sort: { _id: -1 }, limit: 50 }).toArray()
  }
  const processes = [subject.url]
  const get = (path: (n: number) => string) => (n: number) =>
    call('GET', `${subject.url}${path(n)}`, n % USERS)
  const measured = await measureRows(
    [
      { name: 'page of the driver', once: lean, processes: [] },
      { name: 'GET /health', once: get(() => '/health'), processes },
      { name: 'history of 50', once: get((n) => `/messages/${1 + (n % ROOMS)}?limit=50`), processes },
      { name: 'GET /rooms, 10 rooms', once: get(() => '/rooms'), processes },
      {
        name: 'GET /rooms, 1 room, read',
        once: (n) => call('GET', `${subject.url}/rooms`, USERS + (n % USERS)),
        processes,
      },
      {
        name: 'search, two words',
        once: (n) =>
          call(
            'GET',
            `${subject.url}/messages/search?q=see+there&room_id=${SEARCH_ROOM}&limit=20`,
            2 * USERS + (n % SEARCHERS),
          ),
        processes,
      },
    ],
    IN_FLIGHT,
  )
  const aims = aimsOf([
    {
      what: `history at ${IN_FLIGHT.at(-1)} in flight / page of the driver`,
      figure: timesAsOften(measured, 'history of 50', 'page of the driver'),
      atLeast: 0.7,
    },
    { what: 'history, store requests', figure: storeRequestsOf(measured, 'history of 50'), atMost: 2 },
    {
      what: 'GET /rooms, store requests',
      figure: storeRequestsOf(measured, 'GET /rooms, 1 room, read'),
      atMost: 3,
    },
  ])
  console.log(
    `Reads of one process, ${availableParallelism()} cores shared by everything\n\n${readsTable(measured)}\n\n${aims}`,
  )
} finally {
  await Promise.all([agent.close(), connection.close()])
  await subject.stop()
}

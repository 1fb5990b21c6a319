import { availableParallelism } from 'node:os'
import { readPositionals } from '@bigtech/service-kit'
import mongoose from 'mongoose'
import { Agent, request } from 'undici'
import { startChatSubject } from './chat-subject.ts'
import { fillRoom } from './fill.ts'
import { type Measured, measure, measureInTurns } from './measure.ts'

const usage = `Usage: node tests/load/growth.ts
How the cost grows with the history of a room, its members and the rooms of a user, 10 and 100 times as many. The baseline of each row is the smallest
size, measured in turns with the others. Takes about two minutes.

    BIGTECH_SERVERS_FILE=... node tests/load/growth.ts`

readPositionals(usage)
const IN_FLIGHT = 8
const PHASE_MS = 6_000
const WARM_UP_MS = 500
const HISTORY = [1_000, 10_000, 100_000]
const MEMBERS = [100, 1_000, 10_000]
const ROOMS_OF_USER = [20, 200, 2_000]
/** Of a room that is not what is measured. */
const FEW = 20
const MIN_THROUGHPUT = 0.9
const MAX_P99 = 1.2

const historyRoom = (index: number) => 1 + index
const memberRoom = (index: number) => 11 + index
const firstMember = (index: number) => 100_000 * (index + 1)
const busyUser = (index: number) => 1_000 + index
const firstRoom = (index: number) => 10_000 * (index + 1)

const subject = await startChatSubject({
  beforeStart: async ({ mongoUrl }) => {
    const connection = await mongoose.createConnection(mongoUrl).asPromise()
    for (const [index, count] of HISTORY.entries())
      await fillRoom(connection, historyRoom(index), count, (n) => `message ${n}`)
    await connection.close()
  },
})
const agent = new Agent({ connections: 16 })
const tokens = new Map<number, string>()
let refused = 0

async function call(userId: number, method: 'GET' | 'POST', path: string, body?: unknown): Promise<void> {
  const token = tokens.get(userId) ?? (await subject.token(userId))
  tokens.set(userId, token)
  const response = await request(`${subject.url}${path}`, {
    method,
    dispatcher: agent,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await response.body.text()
  // A machine that is too busy says so.
  if (response.statusCode === 503) refused++
  else if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`)
}

const sendTo = (userId: number, roomId: number) => () =>
  call(userId, 'POST', `/messages/${roomId}`, { content: 'See you there!' })

const ROWS: {
  name: string
  sizes: readonly number[]
  once: (index: number) => (n: number) => Promise<void>
}[] = [
  { name: 'send, messages in the room', sizes: HISTORY, once: (index) => sendTo(1, historyRoom(index)) },
  {
    name: 'newest page, messages in the room',
    sizes: HISTORY,
    once: (index) => () => call(1, 'GET', `/messages/${historyRoom(index)}?limit=50`),
  },
  {
    name: 'oldest page, messages in the room',
    sizes: HISTORY,
    once: (index) => () => call(1, 'GET', `/messages/${historyRoom(index)}?limit=50&after_seq=0`),
  },
  {
    name: 'send, members of the room',
    sizes: MEMBERS,
    once: (index) => sendTo(firstMember(index), memberRoom(index)),
  },
  {
    name: 'newest page, members of the room',
    sizes: MEMBERS,
    once: (index) => (n) =>
      call(firstMember(index) + (n % MEMBERS[index]!), 'GET', `/messages/${memberRoom(index)}?limit=50`),
  },
  {
    name: 'first 20 rooms, rooms of the user',
    sizes: ROOMS_OF_USER,
    once: (index) => () => call(busyUser(index), 'GET', '/rooms?limit=20'),
  },
  {
    name: 'send, rooms of the user',
    sizes: ROOMS_OF_USER,
    once: (index) => sendTo(busyUser(index), firstRoom(index)),
  },
]

function rowOf(name: string, size: number, own: Measured, base: Measured): string {
  const throughput = own.perSecond / base.perSecond
  const p99 = own.p99 / base.p99
  const isKept = throughput >= MIN_THROUGHPUT && p99 <= MAX_P99
  return `| ${name} | ${size.toLocaleString('en')} | ${own.perSecond.toFixed(0)} | ${own.p50.toFixed(1)} / ${own.p99.toFixed(1)} | ${throughput.toFixed(2)} | ${p99.toFixed(2)} | ${isKept ? 'yes' : 'no'} |`
}

try {
  for (const index of HISTORY.keys()) await subject.room(historyRoom(index), FEW)
  for (const [index, count] of MEMBERS.entries()) {
    await subject.room(memberRoom(index), count, firstMember(index))
    for (let n = 0; n < 50; n++) await sendTo(firstMember(index), memberRoom(index))()
  }
  for (const [index, count] of ROOMS_OF_USER.entries())
    for (let n = 0; n < count; n++) await subject.room(firstRoom(index) + n, 1, busyUser(index))
  const lines: string[] = []
  for (const { name, sizes, once } of ROWS) {
    const each = sizes.map((_size, index) => once(index))
    for (const one of each) await measure(IN_FLIGHT, WARM_UP_MS, one)
    const measured = await measureInTurns(IN_FLIGHT, PHASE_MS, each)
    for (const [index, size] of sizes.entries()) lines.push(rowOf(name, size, measured[index]!, measured[0]!))
  }
  console.log(`Growth, ${IN_FLIGHT} in flight, ${availableParallelism()} cores shared by everything. Aim: throughput at least ${MIN_THROUGHPUT} and p99 at most ${MAX_P99} times that of the smallest size.

| what | size | per second | p50 / p99 ms | throughput, times | p99, times | within the aim |
|---|---|---|---|---|---|---|
${lines.join('\n')}

Requests refused because the process was busy: ${refused}.`)
} finally {
  await agent.close()
  await subject.stop()
}

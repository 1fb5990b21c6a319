import { availableParallelism } from 'node:os'
import { readPositionals } from '@bigtech/service-kit'
import mongoose from 'mongoose'
import { Agent, request } from 'undici'
import { startChatSubject } from './chat-subject.ts'

const usage = `Usage: node tests/load/reads.ts
A page of 50 messages, the list of rooms and a search, at 1 and 16 in flight: CPU and store requests of each, beside a
lean page of the driver and a request that needs nothing. Takes about 45 s.

    BIGTECH_SERVERS_FILE=... node tests/load/reads.ts`

readPositionals(usage)
const PHASE_MS = 3_000
const IN_FLIGHT = [1, 16]
const USERS = 20
const ROOMS = 10
const MESSAGES = 120
const CONTENT = '안녕하세요, 내일 회의는 세 시입니다. See you there!'

async function measure(inFlight: number, once: (n: number) => Promise<void>) {
  const times: number[] = []
  const startedAt = performance.now()
  let n = 0
  const lane = async () => {
    while (performance.now() - startedAt < PHASE_MS) {
      const began = performance.now()
      await once(n++)
      times.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  times.sort((a, b) => a - b)
  const at = (quantile: number) => times[Math.floor(times.length * quantile)] ?? Number.NaN
  const seconds = (performance.now() - startedAt) / 1_000
  return { count: times.length, perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99) }
}

/** Requests to stores so far, of those that a request waits for. */
async function storeRequests(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return [...text.matchAll(/^store_request_duration_seconds_count\{(.*)\} (\d+)/gm)]
    .filter(
      ([, labels]) =>
        !/outbox\.|heads\.|checkpoint\.|search\.(backfill|insert)|to_publish|by_position|room_activity/.test(
          labels!,
        ),
    )
    .reduce((sum, [, , count]) => sum + Number(count), 0)
}

const subject = await startChatSubject()
const connection = await mongoose.createConnection(subject.mongoUrl, { maxPoolSize: 16 }).asPromise()
const agent = new Agent({ connections: 32 })
try {
  for (let room = 1; room <= ROOMS; room++) await subject.room(room, USERS)
  const tokens = await Promise.all(Array.from({ length: USERS }, (_, index) => subject.token(index + 1)))
  const call = async (method: 'GET' | 'POST', url: string, n: number, body?: unknown) => {
    const response = await request(url, {
      method,
      dispatcher: agent,
      headers: { authorization: `Bearer ${tokens[n % USERS]}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const text = await response.body.text()
    if (response.statusCode >= 300) throw new Error(`${method} ${url}: ${response.statusCode} ${text}`)
  }
  for (let n = 0; n < ROOMS * MESSAGES; n += 20) {
    const some = Array.from({ length: 20 }, (_, index) => n + index)
    await Promise.all(
      some.map((each) =>
        call('POST', `${subject.url}/messages/${1 + (each % ROOMS)}`, each, { content: CONTENT }),
      ),
    )
  }
  const page = connection.db!.collection<{ _id: string }>('messages')
  const lean = async (n: number) => {
    const room = 1 + (n % ROOMS)
    const filter = { _id: { $gte: `${room}:`, $lt: `${room};` } }
    await page.find(filter, { projection: { outbox: 0 }, sort: { _id: -1 }, limit: 50 }).toArray()
  }
  const rows: string[] = []
  const whats: [string, (n: number) => Promise<void>, 'driver' | 'chat'][] = [
    ['page of the driver', lean, 'driver'],
    ['GET /health', (n) => call('GET', `${subject.url}/health`, n), 'chat'],
    ['history of 50', (n) => call('GET', `${subject.url}/messages/${1 + (n % ROOMS)}?limit=50`, n), 'chat'],
    ['GET /rooms, 10 rooms', (n) => call('GET', `${subject.url}/rooms`, n), 'chat'],
    [
      'search, two words',
      (n) => call('GET', `${subject.url}/messages/search?q=see+there&room_id=1&limit=20`, n),
      'chat',
    ],
  ]
  for (const [, once] of whats) for (let n = 0; n < 30; n++) await once(n).catch(() => undefined)
  for (const inFlight of IN_FLIGHT)
    for (const [name, once, kind] of whats) {
      let refused = 0
      const tolerant = (n: number) => once(n).catch(() => void refused++)
      const cpu = await subject.cpuSeconds()
      const asked = await storeRequests(subject.url)
      const { count, perSecond, p50, p99 } = await measure(inFlight, kind === 'chat' ? tolerant : once)
      const used = kind === 'chat' ? (((await subject.cpuSeconds()) - cpu) / count) * 1e6 : 0
      const requests = kind === 'chat' ? ((await storeRequests(subject.url)) - asked) / count : 0
      rows.push(
        `| ${inFlight} | ${name} | ${perSecond.toFixed(0)} | ${p50.toFixed(1)} / ${p99.toFixed(1)} | ${kind === 'chat' ? used.toFixed(0) : ''} | ${kind === 'chat' ? requests.toFixed(1) : ''} | ${refused} |`,
      )
    }
  console.log(`Reads of one process, ${availableParallelism()} cores shared by everything, node ${process.version}

| in flight | what | per second | p50 / p99 ms | CPU of the service, µs | store requests | refused |
|---|---|---|---|---|---|---|
${rows.join('\n')}`)
} finally {
  await Promise.all([agent.close(), connection.close()])
  await subject.stop()
}

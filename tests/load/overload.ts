import { availableParallelism } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { readPositionals } from '@bigtech/service-kit'
import mongoose from 'mongoose'
import { Agent, request } from 'undici'
import { startChatSubject } from './chat-subject.ts'
import { measure } from './measure.ts'
import { aimsOf } from './report.ts'
import type { StreamReaders } from './stream-readers.ts'

const usage = `Usage: node tests/load/overload.ts
Sends at four times the rate that the process can take, while 200 streams are open, one in ten of which does not read, and all streams
reconnect at once. Beside it: the same sends at the rate the process takes. Fails if an accepted message is missing, if a refusal is not 429
or 503 with Retry-After, or if fewer than 0.9 of the messages are accepted that are without overload. Takes about 40 s.
The times of the client include its own: while its event loop is late by seconds, they say nothing of the service. The times of the service begin when
it reads a request; the delay of its event loop is how long a request may have waited before.

    BIGTECH_SERVERS_FILE=... node tests/load/overload.ts`

readPositionals(usage)
const ROOM = 1
const READERS = 200
const STALLED_SHARE = 0.1
const SENDERS = 100
const CAPACITY_IN_FLIGHT = 64
const CAPACITY_MS = 6_000
const OVERLOAD_MS = 10_000
const FACTOR = 4
const TICK_MS = 5
/** As many as a gateway keeps open. A send that waits for one of them counts as waiting for its response. */
const CONNECTIONS = 1_000
const MIN_GOODPUT = 0.9
const MAX_P99_MS = 2_000

interface Outcome {
  readonly acceptedIds: string[]
  readonly acceptedMs: number[]
  refused: number
  withoutRetryAfter: number
  readonly failures: Map<string, number>
}

const newOutcome = (): Outcome => ({
  acceptedIds: [],
  acceptedMs: [],
  refused: 0,
  withoutRetryAfter: 0,
  failures: new Map(),
})

const subject = await startChatSubject()
const connection = await mongoose.createConnection(subject.mongoUrl).asPromise()
const agent = new Agent({ connections: CONNECTIONS, headersTimeout: 30_000 })
const { hostname, port } = new URL(subject.url)
let readers: Worker | undefined

/** Opens the streams of all members, in another thread. */
async function openReaders(tokens: readonly string[]): Promise<Worker> {
  const stalled = tokens.length * STALLED_SHARE
  const workerData: StreamReaders = { hostname, port: Number(port), tokens, stalled }
  const worker = new Worker(new URL('./stream-readers.ts', import.meta.url), { workerData })
  await delay(1_000)
  return worker
}

interface ServiceTimes {
  /** Accepted sends by upper bound of their duration in seconds, cumulative. */
  readonly accepted: ReadonlyMap<number, number>
  readonly loopDelaySeconds: number
}

async function serviceTimes(): Promise<ServiceTimes> {
  const text = await (await fetch(`${subject.url}/metrics`)).text()
  const buckets = text.matchAll(/^http_request_duration_seconds_bucket\{(.*)\} (\d+)/gm)
  const accepted = new Map<number, number>()
  for (const [, labels, count] of buckets) {
    if (!labels!.includes('status="201"') || !labels!.includes('path="/messages/:room_id"')) continue
    const bound = /le="([^"]+)"/.exec(labels!)![1]!
    accepted.set(bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound), Number(count))
  }
  return { accepted, loopDelaySeconds: Number(/^nodejs_eventloop_lag_max_seconds\S* (\S+)/m.exec(text)?.[1]) }
}

/** Returns the upper bound in ms of the 99th percentile of the sends accepted between two moments. */
function p99Between(before: ServiceTimes, after: ServiceTimes): number {
  const counts = [...after.accepted].map(
    ([le, count]) => [le, count - (before.accepted.get(le) ?? 0)] as const,
  )
  const all = Math.max(...counts.map(([, count]) => count))
  return Math.min(...counts.filter(([, count]) => count >= all * 0.99).map(([le]) => le)) * 1_000
}

async function send(token: string, id: string, outcome: Outcome): Promise<void> {
  const began = performance.now()
  try {
    const { statusCode, headers, body } = await request(`${subject.url}/messages/${ROOM}`, {
      method: 'POST',
      dispatcher: agent,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ content: 'See you there!', client_message_id: id }),
    })
    await body.dump()
    if (statusCode === 201) {
      outcome.acceptedIds.push(id)
      outcome.acceptedMs.push(performance.now() - began)
    } else if (statusCode === 429 || statusCode === 503) {
      outcome.refused++
      if (headers['retry-after'] === undefined) outcome.withoutRetryAfter++
    } else fail(outcome, String(statusCode))
  } catch (err) {
    fail(outcome, (err as { code?: string }).code ?? String(err))
  }
}

function fail({ failures }: Outcome, what: string): void {
  failures.set(what, (failures.get(what) ?? 0) + 1)
}

/** Starts sends at a fixed rate, however long they take. Resolves when the last one has been answered. */
async function sendAtRate(
  perSecond: number,
  ms: number,
  once: (n: number) => Promise<void>,
): Promise<number> {
  const pending = new Set<Promise<void>>()
  const startedAt = performance.now()
  let sent = 0
  while (performance.now() - startedAt < ms) {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond)
    for (; sent < due; sent++) {
      const call = once(sent)
      pending.add(call)
      void call.finally(() => pending.delete(call))
    }
    await delay(TICK_MS)
  }
  await Promise.all(pending)
  return sent
}

/** Returns how many of the accepted messages are not in the log. */
async function countMissing(ids: readonly string[]): Promise<number> {
  const messages = connection.db!.collection('messages')
  const stored = await messages.find({ room_id: ROOM }, { projection: { client_message_id: 1 } }).toArray()
  const known = new Set(stored.map(({ client_message_id }) => client_message_id as string))
  return ids.filter((id) => !known.has(id)).length
}

function rowOf(name: string, offered: number, outcome: Outcome, ms: number, missing: number): string {
  const { acceptedMs, refused, withoutRetryAfter, failures } = outcome
  acceptedMs.sort((a, b) => a - b)
  const at = (quantile: number) =>
    (acceptedMs[Math.floor(acceptedMs.length * quantile)] ?? Number.NaN).toFixed(0)
  const perSecond = (count: number) => (count / (ms / 1_000)).toFixed(0)
  const failed = [...failures].map(([what, count]) => `${count} ${what}`).join(', ') || '0'
  return `| ${name} | ${perSecond(offered)} | ${perSecond(acceptedMs.length)} | ${at(0.5)} / ${at(0.99)} | ${refused} | ${withoutRetryAfter} | ${failed} | ${missing} |`
}

try {
  await subject.room(ROOM, READERS)
  const tokens = await Promise.all(Array.from({ length: READERS }, (_, index) => subject.token(index + 1)))
  readers = await openReaders(tokens)
  const normal = newOutcome()
  const one = (outcome: Outcome, prefix: string) => (n: number) =>
    send(tokens[n % SENDERS]!, `${prefix}-${n}`, outcome)
  await measure(CAPACITY_IN_FLIGHT, CAPACITY_MS / 3, one(newOutcome(), 'warm'))
  const capacity = await measure(CAPACITY_IN_FLIGHT, CAPACITY_MS, one(normal, 'normal'))
  const overload = newOutcome()
  const storm = delay(OVERLOAD_MS / 3).then(() => readers?.postMessage('reconnect'))
  const before = await serviceTimes()
  const clientDelay = monitorEventLoopDelay()
  clientDelay.enable()
  const startedAt = performance.now()
  const offered = await sendAtRate(capacity.perSecond * FACTOR, OVERLOAD_MS, one(overload, 'overload'))
  const answeredMs = performance.now() - startedAt
  clientDelay.disable()
  await storm
  const after = await serviceTimes()
  const missing = [await countMissing(normal.acceptedIds), await countMissing(overload.acceptedIds)]
  const goodput = overload.acceptedMs.length / (answeredMs / 1_000) / capacity.perSecond
  const [normalRow, overloadRow] = [
    rowOf(`${CAPACITY_IN_FLIGHT} in flight`, capacity.count, normal, CAPACITY_MS, missing[0]!),
    rowOf(`${FACTOR} times as many, reconnect storm`, offered, overload, answeredMs, missing[1]!),
  ]
  const p99 = overload.acceptedMs[Math.floor(overload.acceptedMs.length * 0.99)] ?? Number.POSITIVE_INFINITY
  console.log(`Overload, ${READERS} open streams, ${availableParallelism()} cores shared by everything

| load | offered/s | accepted/s | p50 / p99 ms | 429 and 503 | of those without Retry-After | other failures | accepted but missing |
|---|---|---|---|---|---|---|---|
${normalRow}
${overloadRow}

Under overload all sends were answered after ${(answeredMs / 1_000).toFixed(1)} s. In the service, 99 % of the accepted ones took at most ${p99Between(before, after)} ms;
its event loop was late by at most ${(after.loopDelaySeconds * 1_000).toFixed(0)} ms, that of the client by ${(clientDelay.max / 1e6).toFixed(0)} ms.

${aimsOf([
  { what: 'goodput under overload / without', figure: goodput, atLeast: MIN_GOODPUT },
  { what: 'p99 of accepted sends under overload, ms', figure: p99, atMost: MAX_P99_MS },
  { what: 'accepted but missing', figure: missing[0]! + missing[1]!, atMost: 0 },
  { what: 'refusals without Retry-After', figure: overload.withoutRetryAfter, atMost: 0 },
])}`)
  const isKept =
    missing.every((count) => count === 0) &&
    overload.withoutRetryAfter === 0 &&
    overload.failures.size === 0 &&
    goodput >= MIN_GOODPUT &&
    p99 <= MAX_P99_MS
  if (!isKept) process.exitCode = 1
} finally {
  await readers?.terminate()
  await Promise.all([agent.close(), connection.close()])
  await subject.stop()
}

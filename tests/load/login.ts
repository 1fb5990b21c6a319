import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { readPositionals } from '@bigtech/service-kit'
import { Agent, request } from 'undici'
import { aimsOf } from './report.ts'

const usage = `Usage: node tests/load/login.ts [URL]
How fast people sign in, what it costs everybody else, and whether the time tells who exists.

    node tests/load/login.ts [http://127.0.0.1:8005]

Needs a running user-service and takes about a minute and a half. Callers pretend to come from many addresses
by X-Forwarded-For, so aim it at the service itself, not at the gateway.`

const [givenUrl] = readPositionals(usage, 1)
const baseUrl = givenUrl ?? process.env.USER_SERVICE_URL ?? 'http://127.0.0.1:8005'
const PASSWORD = 'Load1234!@'
const COST = Number(process.env.BCRYPT_COST ?? 12)
const USERS = 8
const PHASE_MS = 6_000
const SLICE_MS = 1_500
const ROUNDS = 5
/** Excludes the start of the storm. */
const SETTLE_MS = 700
const PROFILE_PER_SECOND = 100
const STORM_IN_FLIGHT = 12
const PAIRS = 20
const PAIRS_MS = 12_000

const agent = new Agent({ connections: 64, headersTimeout: 30_000 })
let lastAddress = 0

/** Returns a unique address per caller, because the limits are not measured here. */
function address(): string {
  lastAddress++
  return `10.${(lastAddress >> 16) & 255}.${(lastAddress >> 8) & 255}.${lastAddress & 255}`
}

async function call(method: 'GET' | 'POST', path: string, body?: unknown, token?: string, ip = address()) {
  const startedAt = performance.now()
  const response = await request(new URL(path, baseUrl), {
    method,
    dispatcher: agent,
    headers: {
      'content-type': 'application/json',
      'x-forwarded-for': ip,
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.body.text()
  return { status: response.statusCode, text, ms: performance.now() - startedAt }
}

const login = (email: string, password: string, ip?: string) =>
  call('POST', '/auth/login/json', { email, password }, undefined, ip)

async function signUp(): Promise<{ email: string; token: string }[]> {
  const run = Date.now().toString(36)
  const one = async (n: number) => {
    const email = `load-${run}-${n}@example.com`
    const account = { email, username: `l_${run}_${n}`, password: PASSWORD }
    const registered = await call('POST', '/auth/register', account)
    if (registered.status !== 201) throw new Error(`sign-up: ${registered.status} ${registered.text}`)
    const signedIn = await login(email, PASSWORD)
    if (signedIn.status !== 200) throw new Error(`sign-in: ${signedIn.status} ${signedIn.text}`)
    return { email, token: (JSON.parse(signedIn.text) as { access_token: string }).access_token }
  }
  return Promise.all(Array.from({ length: USERS }, (_, n) => one(n)))
}

/** Measures the cores' raw throughput, a second. */
async function pureBcrypt(): Promise<number> {
  const code = `const { parentPort, workerData } = require('node:worker_threads')
    const { compareSync, hashSync } = require(workerData.bcrypt)
    const stored = hashSync(workerData.password, workerData.cost)
    const begin = performance.now(); let done = 0
    while (performance.now() < begin + workerData.ms) { compareSync(workerData.password, stored); done++ }
    parentPort.postMessage(done * 1000 / (performance.now() - begin))`
  const bcrypt = createRequire(import.meta.url).resolve('bcrypt')
  const rates = await Promise.all(
    Array.from({ length: availableParallelism() }, () => {
      const workerData = { bcrypt, ms: PHASE_MS, password: PASSWORD, cost: COST }
      const worker = new Worker(code, { eval: true, workerData })
      return new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject))
    }),
  )
  return rates.reduce((sum, rate) => sum + rate, 0)
}

interface Storm {
  readonly perSecond: number
  readonly answers: Record<number, number>
}

async function storm(users: readonly { email: string }[], inFlight: number, ms: number): Promise<Storm> {
  const endsAt = performance.now() + ms
  const answers: Record<number, number> = {}
  let turn = 0
  const one = async () => {
    while (performance.now() < endsAt) {
      const { status } = await login(users[turn++ % users.length]!.email, PASSWORD)
      answers[status] = (answers[status] ?? 0) + 1
      if (status === 503) await delay(200)
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: inFlight }, one))
  return { perSecond: (answers[200] ?? 0) / ((performance.now() - startedAt) / 1_000), answers }
}

/** Sends at a fixed rate, so that slow responses do not reduce the load. */
async function profileLatencies(token: string, ms: number): Promise<number[]> {
  const pending: Promise<number>[] = []
  const startedAt = performance.now()
  const total = Math.floor((ms / 1_000) * PROFILE_PER_SECOND)
  for (let n = 0; n < total; n++) {
    const dueAt = startedAt + (n * 1_000) / PROFILE_PER_SECOND
    const waitMs = dueAt - performance.now()
    if (waitMs > 0) await delay(waitMs)
    pending.push(
      call('GET', '/profile/me', undefined, token).then(({ status }) => {
        if (status !== 200) throw new Error(`profile responded with ${status}`)
        return performance.now() - dueAt
      }),
    )
  }
  return Promise.all(pending)
}

/** Alternates the two kinds, so that other load affects both alike. */
async function signInTimes(
  users: readonly { email: string }[],
): Promise<{ known: number[]; unknown: number[] }> {
  const known: number[] = []
  const unknown: number[] = []
  const endsAt = performance.now() + PAIRS_MS
  for (let n = 0; n < PAIRS && performance.now() < endsAt; n++) {
    known.push((await login(users[n % users.length]!.email, 'Wrong1234!')).ms)
    unknown.push((await login(`nobody-${n}-${Date.now()}@example.com`, 'Wrong1234!')).ms)
  }
  return { known, unknown }
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const fixed = (value: number) => value.toFixed(value < 10 ? 2 : 1)

const users = await signUp()
const token = users[0]!.token
await profileLatencies(token, 1_000)
const idle: number[] = []
const busy: number[] = []
const storms: Storm[] = []
// Alternates, so that other load affects both alike.
for (let round = 0; round < ROUNDS; round++) {
  idle.push(...(await profileLatencies(token, SLICE_MS)))
  const [stormed, latencies] = await Promise.all([
    storm(users, STORM_IN_FLIGHT, SETTLE_MS + SLICE_MS),
    delay(SETTLE_MS).then(() => profileLatencies(token, SLICE_MS)),
  ])
  storms.push(stormed)
  busy.push(...latencies)
}
const signIns: number[] = []
const pureRates: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  signIns.push((await storm(users, availableParallelism() * 2, PHASE_MS)).perSecond)
  pureRates.push(await pureBcrypt())
}
const alone = mean(signIns)
const pure = mean(pureRates)
const times = await signInTimes(users)

const knownMedian = quantile(times.known, 0.5)
const unknownMedian = quantile(times.unknown, 0.5)
console.log(`user-service at ${baseUrl}, bcrypt cost ${COST}, ${availableParallelism()} cores

| what | value |
|---|---|
| pure bcrypt, all cores | ${fixed(pure)}/s |
| sign-ins | ${fixed(alone)}/s (${fixed((alone / pure) * 100)} % of pure bcrypt) |
| sign-ins with ${STORM_IN_FLIGHT} in flight, beside the profile requests | ${fixed(mean(storms.map(({ perSecond }) => perSecond)))}/s, answers ${JSON.stringify(storms.map(({ answers }) => answers))} |
| GET /profile/me, idle, p50 / p99 | ${fixed(quantile(idle, 0.5))} / ${fixed(quantile(idle, 0.99))} ms |
| GET /profile/me, login storm, p50 / p99 | ${fixed(quantile(busy, 0.5))} / ${fixed(quantile(busy, 0.99))} ms (${fixed(quantile(busy, 0.99) / quantile(idle, 0.99))} x) |
| wrong password, known / unknown account, median | ${fixed(knownMedian)} / ${fixed(unknownMedian)} ms (${fixed((unknownMedian / knownMedian - 1) * 100)} %) |

${aimsOf([
  { what: 'sign-ins / pure bcrypt', figure: alone / pure, atLeast: 0.95 },
  {
    what: 'p99 of the profile in a login storm / idle',
    figure: quantile(busy, 0.99) / quantile(idle, 0.99),
    atMost: 2,
  },
])}`)
await agent.close()

import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPositionals } from '@bigtech/service-kit'
import {
  createTestKafka,
  createTestMysql,
  createTestRedis,
  type ServiceProcess,
  startHttpServer,
  startServiceProcess,
} from '@bigtech/testkit'
import autocannon from 'autocannon'

const ROUNDS = 8
const CONNECTIONS = 16
const WARM_UP_ROUNDS = 3
const IDLE_MS = 2_000
/** How far a process may be from the mean of its kind for the figures to mean something. */
const ALIKE = 0.05
const DEADLINE_MS = 60_000
const folder = join(import.meta.dirname, '..', '..', 'services', 'user-service')
const usage = `Usage: node tests/load/tracing.ts [SECONDS]
What tracing costs: the same requests to user-service without it, with every request traced, and with
one in ten, in turns, each on stores of its own. Takes about two minutes.

  BIGTECH_SERVERS_FILE=... node tests/load/tracing.ts [seconds of one turn, default 1]`

const turnSeconds = Math.min(2, Number(readPositionals(usage, 1)[0] ?? 1))

interface Subject {
  readonly name: string
  readonly service: ServiceProcess
  readonly userId: number
  readonly token: string
  /** CPU seconds a second without requests: polls of relays and consumers. */
  idleCpu: number
  readonly turns: { requestsPerSecond: number; cpuMicroseconds: number }[]
  stop(): Promise<void>
}

/** One statement in MySQL for each request. */
const pathOf = (userId: number) => `/users?user_ids=${userId}`

async function startSubject(name: string, env: Record<string, string>, keyFile: string): Promise<Subject> {
  const [mysql, redis, kafka] = await Promise.all([
    createTestMysql({ migrationsDir: join(folder, 'migrations') }),
    createTestRedis(),
    createTestKafka({ partitions: 1 }),
  ])
  const service = await startServiceProcess({
    folder,
    nodeOptions: ['--import', '@bigtech/service-kit/tracing'],
    env: {
      NODE_ENV: 'test',
      DATABASE_URL: mysql.url,
      REDIS_URL: redis.url,
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
      JWT_PRIVATE_KEY_FILE: keyFile,
      TOTP_KEYS: 'a-key-of-tests-alone',
      BCRYPT_COST: '4',
      ...env,
    },
  })
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(service.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    return (await response.json()) as { id: number; access_token: string }
  }
  const account = { email: 'load@example.com', password: 'Test1234!@' }
  const { id: userId } = await post('/auth/register', { ...account, username: 'load' })
  const { access_token: token } = await post('/auth/login/json', account)
  return {
    name,
    service,
    userId,
    token,
    idleCpu: 0,
    turns: [],
    stop: async () => {
      await service.stop()
      await Promise.all([mysql.drop(), redis.release(), kafka.remove()])
    },
  }
}

/** CPU that the process has used, all of its threads. */
async function cpuSecondsOf({ url }: ServiceProcess): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^process_cpu_seconds_total\S* (\S+)/m.exec(text)?.[1])
}

async function measureIdle(subjects: readonly Subject[]): Promise<void> {
  const before = await Promise.all(subjects.map(({ service }) => cpuSecondsOf(service)))
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  for (const [index, subject] of subjects.entries()) {
    const used = (await cpuSecondsOf(subject.service)) - before[index]!
    subject.idleCpu = used / (IDLE_MS / 1_000)
    console.log(`idle ${subject.name.padEnd(12)} ${(subject.idleCpu * 1_000).toFixed(0)} ms CPU a second`)
  }
}

async function turn(subject: Subject, seconds: number): Promise<void> {
  const before = await cpuSecondsOf(subject.service)
  const result = await autocannon({
    url: subject.service.url + pathOf(subject.userId),
    connections: CONNECTIONS,
    duration: seconds,
    headers: { authorization: `Bearer ${subject.token}` },
  })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${subject.name}: ${result.non2xx} refusals, ${result.errors} errors`)
  const requests = result['2xx']
  const idle = subject.idleCpu * result.duration
  const cpuSeconds = (await cpuSecondsOf(subject.service)) - before - idle
  subject.turns.push({
    requestsPerSecond: requests / result.duration,
    cpuMicroseconds: (cpuSeconds / requests) * 1e6,
  })
}

/** What else the machine does must not always meet the same one. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

/** The middle of all turns: a turn that something else has disturbed does not count. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function report(subjects: readonly Subject[]): void {
  let base = 0
  let disturbed = false
  for (const [name, same] of Map.groupBy(subjects, (subject) => subject.name)) {
    const mean = (read: (subject: Subject) => number) =>
      same.reduce((sum, subject) => sum + read(subject), 0) / same.length
    const cpuOf = ({ turns }: Subject) => median(turns.map(({ cpuMicroseconds }) => cpuMicroseconds))
    const rate = mean(({ turns }) => median(turns.map(({ requestsPerSecond }) => requestsPerSecond)))
    const cpu = mean(cpuOf)
    base ||= cpu
    const each = same.map((subject) => cpuOf(subject).toFixed(0)).join(', ')
    disturbed ||= same.some((subject) => Math.abs(cpuOf(subject) / cpu - 1) > ALIKE)
    console.log(
      `${name.padEnd(12)} ${rate.toFixed(0).padStart(6)} req/s  ${cpu.toFixed(0).padStart(6)} us CPU/request ` +
        `(${each})  ${((cpu / base - 1) * 100).toFixed(1).padStart(6)} %`,
    )
  }
  if (disturbed)
    console.log('Two processes of one kind differ by more than 10 %: something else was running.')
}

/** Discards traces. */
const sink = await startHttpServer((request, response) => {
  request.resume()
  response.setHeader('content-type', 'application/json').end('{}')
})
const keyFolder = mkdtempSync(join(tmpdir(), 'load-'))
const keyFile = join(keyFolder, 'key.pem')
writeFileSync(keyFile, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
const on = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url }
const variants = {
  off: {},
  all: on,
  'one in ten': { ...on, OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.1' },
}
const subjects: Subject[] = []
try {
  // Two processes each, first and last in mirrored order: which process it is makes a difference as well.
  const order = Object.entries(variants)
  for (const [name, env] of [...order, ...order.toReversed()])
    subjects.push(await startSubject(name, env, keyFile))
  await measureIdle(subjects)
  const deadline = performance.now() + DEADLINE_MS
  // Compiled and cached before it counts.
  for (let round = 0; round < ROUNDS && performance.now() < deadline; round++) {
    if (round === WARM_UP_ROUNDS) for (const { turns } of subjects) turns.length = 0
    for (const subject of shuffled(subjects)) await turn(subject, turnSeconds)
  }
  report(subjects)
} finally {
  await Promise.all(subjects.map((subject) => subject.stop()))
  await sink.close()
  rmSync(keyFolder, { recursive: true })
}

import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readPositionals } from '@bigtech/service-kit'
import {
  createTestKafka,
  createTestMongo,
  createTestMysql,
  createTestRedis,
  freePort,
  type ServiceProcess,
  startServiceProcess,
  testObjectStore,
  uniqueName,
} from '@bigtech/testkit'
import { bundleService, compiledCode } from '../../infrastructure/docker/images/bundle.ts'
import { usageOfProcess } from './proc.ts'
import { aimsOf, type FigureAim } from './report.ts'

const usage = `Usage: node tests/load/idle.ts [SERVICE ...]
What a process costs that has nothing to do: CPU and memory of each service, a minute after its start.
Takes about two minutes. The processes run as in their images, one file each. "Private" is the memory that the process adds to the machine: its memory without the files that
processes share, of which the node binary alone is more than 50 MB.

    BIGTECH_SERVERS_FILE=... node tests/load/idle.ts                  all of them
    BIGTECH_SERVERS_FILE=... node tests/load/idle.ts chat-service     only this, beside user-service

CPU_PROFILES=/some/folder writes a CPU profile of each, for the developer tools of a browser.`

/** Folder and entry of each process. */
const PROCESSES = {
  'user-service': { folder: 'user-service', entry: 'server.js' },
  'friend-service': { folder: 'friend-service', entry: 'server.js' },
  'chat-service': { folder: 'chat-service', entry: 'server.js' },
  'notification-service': { folder: 'notification-service', entry: 'server.js' },
  'analytics-service': { folder: 'analytics-service', entry: 'server.js' },
  'media-service': { folder: 'media-service', entry: 'web.js' },
  'media-worker': { folder: 'media-service', entry: 'worker.js' },
  'analysis-service': { folder: 'analysis-service', entry: 'server.js' },
} as const
type Name = keyof typeof PROCESSES
const NAMES = Object.keys(PROCESSES) as Name[]
/** A service collects the garbage of its start after 10 s, and V8 optimises for about 30 s more what runs at rest. */
const SETTLE_MS = 60_000
const MEASURE_MS = 30_000
const MAX_CPU_MS = 8
const MAX_MEMORY_MB = 140

const chosen = readPositionals(usage, NAMES.length)
const names = NAMES.filter((name) => chosen.length === 0 || chosen.includes(name) || name === 'user-service')

const ANALYSIS_SECRET = 'shared by the two processes that are measured'
const root = join(import.meta.dirname, '..', '..', 'services')
const folder = mkdtempSync(join(tmpdir(), 'idle-'))
const keyFile = join(folder, 'key.pem')
writeFileSync(keyFile, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
const [kafka, userPort] = await Promise.all([createTestKafka({ partitions: 3 }), freePort()])
const running: { name: string; process: ServiceProcess }[] = []
const cleanUp: (() => Promise<unknown>)[] = [() => kafka.remove()]

async function start(name: Name): Promise<void> {
  const { folder: service, entry } = PROCESSES[name]
  const migrations = join(root, service, 'migrations')
  const [mysql, redis] = await Promise.all([
    createTestMysql(existsSync(migrations) ? { migrationsDir: migrations } : {}),
    createTestRedis(),
  ])
  const mongo = createTestMongo()
  cleanUp.push(
    () => mysql.drop(),
    () => redis.release(),
    () => mongo.drop(),
  )
  const unused = 'http://127.0.0.1:9'
  const s3 = testObjectStore()
  const userUrl = `http://127.0.0.1:${userPort}`
  const profiles = process.env.CPU_PROFILES
  const bundles = join(folder, service)
  await bundleService(join(root, service), bundles)
  const process_ = await startServiceProcess({
    folder: join(root, service),
    entry: join(bundles, entry),
    env: {
      NODE_COMPILE_CACHE: compiledCode(bundles),
      MALLOC_TRIM_THRESHOLD_: '1048576',
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
      ...(name === 'user-service'
        ? { PORT: String(userPort), JWT_PRIVATE_KEY_FILE: keyFile, TOTP_KEYS: 'x'.repeat(64) }
        : {}),
      DATABASE_URL: mysql.url,
      MONGO_URL: mongo.url,
      REDIS_URL: redis.url,
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
      JWKS_URL: `${userUrl}/.well-known/jwks.json`,
      USER_SERVICE_URL: userUrl,
      FRIEND_SERVICE_URL: unused,
      CHAT_SERVICE_URL: unused,
      NOTIFICATION_SERVICE_URL: unused,
      MEDIA_SERVICE_URL: unused,
      S3_URL: s3.url,
      S3_ACCESS_KEY: s3.accessKey,
      S3_SECRET_KEY: s3.secretKey,
      S3_BUCKET: uniqueName('idle-'),
      ANALYSIS_SECRETS: ANALYSIS_SECRET,
      ANALYSIS_SECRET,
      SMTP_URL: 'smtp://127.0.0.1:9',
      MAIL_FROM: 'BigTech Chat <hello@example.com>',
      PUBLIC_URL: 'http://127.0.0.1:9',
    },
    nodeOptions: [
      '--max-semi-space-size=16',
      ...['--import', '@bigtech/service-kit/tracing'],
      ...(profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}/${name}`] : []),
    ],
  })
  running.push({ name, process: process_ })
}

try {
  for (const name of names) await start(name)
  await delay(SETTLE_MS)
  const before = running.map(({ process: { pid } }) => usageOfProcess(pid)!.cpuSeconds)
  const startedAt = performance.now()
  await delay(MEASURE_MS)
  const seconds = (performance.now() - startedAt) / 1_000
  console.log(`Processes with nothing to do, node ${process.version}

| process | CPU, ms a second | memory, MB | private, MB | CPU of the start, s |
|---|---|---|---|---|`)
  const aims: FigureAim[] = []
  for (const [index, { name, process: each }] of running.entries()) {
    const { cpuSeconds, residentKb, privateKb } = usageOfProcess(each.pid)!
    const used = ((cpuSeconds - before[index]!) / seconds) * 1_000
    const [resident, own] = [residentKb / 1_024, privateKb / 1_024]
    aims.push({ what: `${name}, CPU, ms a second`, figure: used, atMost: MAX_CPU_MS })
    aims.push({ what: `${name}, memory, MB`, figure: resident, atMost: MAX_MEMORY_MB })
    console.log(
      `| ${name} | ${used.toFixed(1)} | ${resident.toFixed(0)} | ${own.toFixed(0)} | ${before[index]!.toFixed(1)} |`,
    )
  }
  console.log(`\n${aimsOf(aims)}`)
} finally {
  await Promise.all(running.map(({ process: each }) => each.stop()))
  for (const done of cleanUp) await done()
  rmSync(folder, { recursive: true })
}

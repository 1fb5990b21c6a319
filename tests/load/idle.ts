import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
} from '@bigtech/testkit'

const usage = `Usage: node tests/load/idle.ts [SERVICE ...]
What a process costs that has nothing to do: CPU and memory of each service, a while after its start.
Takes about 40 s.

    BIGTECH_SERVERS_FILE=... node tests/load/idle.ts                  all of them
    BIGTECH_SERVERS_FILE=... node tests/load/idle.ts chat-service     only this, beside user-service

CPU_PROFILES=/some/folder writes a CPU profile of each, for the developer tools of a browser.`

const SERVICES = [
  'user-service',
  'friend-service',
  'chat-service',
  'notification-service',
  'analytics-service',
] as const
const SETTLE_MS = 15_000
const MEASURE_MS = 20_000
/** Fixed by Linux for /proc, independent of the kernel's timer. */
const TICKS_PER_SECOND = 100

const chosen = readPositionals(usage, SERVICES.length)
const services = SERVICES.filter(
  (name) => chosen.length === 0 || chosen.includes(name) || name === 'user-service',
)

/** Returns the CPU seconds used by a process so far. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

function memoryMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
}

const root = join(import.meta.dirname, '..', '..', 'services')
const folder = mkdtempSync(join(tmpdir(), 'idle-'))
const keyFile = join(folder, 'key.pem')
writeFileSync(keyFile, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
const [kafka, userPort] = await Promise.all([createTestKafka({ partitions: 3 }), freePort()])
const running: { name: string; process: ServiceProcess }[] = []
const cleanUp: (() => Promise<unknown>)[] = [() => kafka.remove()]

async function start(name: (typeof SERVICES)[number]): Promise<void> {
  const [mysql, redis] = await Promise.all([
    createTestMysql({ migrationsDir: join(root, name, 'migrations') }),
    createTestRedis(),
  ])
  const mongo = createTestMongo()
  cleanUp.push(
    () => mysql.drop(),
    () => redis.release(),
    () => mongo.drop(),
  )
  const unused = 'http://127.0.0.1:9'
  const userUrl = `http://127.0.0.1:${userPort}`
  const profiles = process.env.CPU_PROFILES
  const process_ = await startServiceProcess({
    folder: join(root, name),
    env: {
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
      SMTP_URL: 'smtp://127.0.0.1:9',
      MAIL_FROM: 'BigTech Chat <hello@example.com>',
      PUBLIC_URL: 'http://127.0.0.1:9',
    },
    nodeOptions: [
      '--max-semi-space-size=4',
      ...(profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}/${name}`] : []),
    ],
  })
  running.push({ name, process: process_ })
}

try {
  for (const name of services) await start(name)
  await delay(SETTLE_MS)
  const before = running.map(({ process: { pid } }) => cpuSeconds(pid))
  const startedAt = performance.now()
  await delay(MEASURE_MS)
  const seconds = (performance.now() - startedAt) / 1_000
  console.log(`Processes with nothing to do, node ${process.version}

| service | CPU, ms a second | memory, MB | CPU of the start, s |
|---|---|---|---|`)
  for (const [index, { name, process: each }] of running.entries()) {
    const used = ((cpuSeconds(each.pid) - before[index]!) / seconds) * 1_000
    console.log(
      `| ${name} | ${used.toFixed(1)} | ${memoryMb(each.pid).toFixed(0)} | ${before[index]!.toFixed(1)} |`,
    )
  }
} finally {
  await Promise.all(running.map(({ process: each }) => each.stop()))
  for (const done of cleanUp) await done()
  rmSync(folder, { recursive: true })
}

import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { readPositionals } from '@bigtech/service-kit'
import {
  createTestKafka,
  createTestMysql,
  createTestRedis,
  startServiceProcess,
  waitFor,
} from '@bigtech/testkit'
import { Agent, request } from 'undici'
import { profileOptions, readsTable } from './measure-reads.ts'

const usage = `Usage: node tests/load/account-reads.ts
The caller's profile, 20 profiles and the list of 19 friends, at 1 and 32 in flight: CPU and store requests of each, beside
a Fastify that responds with a constant; then the hit rates of the caches. Takes about 40 s.

    BIGTECH_SERVERS_FILE=... node tests/load/account-reads.ts`

readPositionals(usage)
const IN_FLIGHT = [1, 32]
const USERS = 20
const PASSWORD = 'Load1234!@'
const root = join(import.meta.dirname, '..', '..', 'services')
const migrationsOf = (service: string) => join(root, service, 'migrations')

const agent = new Agent({ connections: 64 })

async function call(method: 'GET' | 'POST', url: string, options: { token?: string; body?: unknown } = {}) {
  const { token, body } = options
  const response = await request(url, {
    method,
    dispatcher: agent,
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.body.text()
  if (response.statusCode >= 300) throw new Error(`${method} ${url}: ${response.statusCode} ${text}`)
  return JSON.parse(text)
}

/** Starts user-service and friend-service on stores of their own, without limits that a load reaches. */
async function startSubject() {
  const [users, friends, redis, kafka] = await Promise.all([
    createTestMysql({ migrationsDir: migrationsOf('user-service') }),
    createTestMysql({ migrationsDir: migrationsOf('friend-service') }),
    createTestRedis(),
    createTestKafka({ partitions: 1 }),
  ])
  const folder = mkdtempSync(join(tmpdir(), 'account-reads-'))
  const keyFile = join(folder, 'key.pem')
  writeFileSync(keyFile, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const media = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ used_bytes: 0, quota_bytes: 1, file_count: 0, recording_count: 0 }))
  })
  await new Promise<void>((resolve) => media.listen(0, '127.0.0.1', resolve))
  const env = {
    NODE_ENV: 'production',
    LOG_LEVEL: 'info',
    KAFKA_BROKERS: kafka.brokers.join(','),
    KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
  }
  const user = await startServiceProcess({
    folder: join(root, 'user-service'),
    nodeOptions: profileOptions('user-service'),
    env: {
      ...env,
      DATABASE_URL: users.url,
      REDIS_URL: redis.url,
      JWT_PRIVATE_KEY_FILE: keyFile,
      TOTP_KEYS: 'a-key-of-tests-alone',
      MEDIA_SERVICE_URL: `http://127.0.0.1:${(media.address() as { port: number }).port}`,
      BCRYPT_COST: '10',
      REGISTRATIONS_PER_HOUR: '1000',
    },
  })
  const friend = await startServiceProcess({
    folder: join(root, 'friend-service'),
    nodeOptions: profileOptions('friend-service'),
    env: {
      ...env,
      DATABASE_URL: friends.url,
      JWKS_URL: `${user.url}/.well-known/jwks.json`,
      USER_SERVICE_URL: user.url,
      FRIEND_ACTIONS_PER_HOUR: '100000',
    },
  })
  return {
    user: user.url,
    friend: friend.url,
    stop: async () => {
      await Promise.all([user.stop(), friend.stop()])
      media.close()
      await Promise.all([users.drop(), friends.drop(), redis.release(), kafka.remove()])
      rmSync(folder, { recursive: true })
    },
  }
}

type Subject = Awaited<ReturnType<typeof startSubject>>

/** Registers users who are all friends and online. */
async function crowd({ user, friend }: Subject): Promise<{ id: number; token: string }[]> {
  const people: { id: number; token: string }[] = []
  for (let n = 0; n < USERS; n++) {
    const email = `reader-${n}@example.com`
    const account = { email, username: `reader_${n}`, password: PASSWORD }
    const { id } = await call('POST', `${user}/auth/register`, { body: account })
    const { access_token: token } = await call('POST', `${user}/auth/login/json`, {
      body: { email, password: PASSWORD },
    })
    await call('POST', `${user}/users/me/presence`, { token, body: { state: 'online' } })
    for (const other of people) {
      await call('POST', `${friend}/friends/request`, { token, body: { target_user_id: other.id } })
      await call('POST', `${friend}/friends/request`, { token: other.token, body: { target_user_id: id } })
    }
    people.push({ id, token })
  }
  for (const { token } of people)
    await waitFor(
      async () => {
        const { items } = await call('GET', `${friend}/friends`, { token })
        return items.length === USERS - 1 && items.every((item: { online: unknown }) => item.online === true)
      },
      { what: 'all friends to be seen online', timeoutMs: 30_000 },
    )
  return people
}

/** Returns the share of look-ups that each cache answered. */
async function hitRates(urls: readonly string[]): Promise<string> {
  const texts = await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()))
  const counts = new Map<string, number>()
  for (const text of texts)
    for (const [, labels, count] of text.matchAll(/^cache_requests_total\{(.*)\} (\d+)/gm)) {
      const [cache, result] = ['cache', 'result'].map(
        (label) => labels!.split(`${label}="`)[1]!.split('"')[0],
      )
      counts.set(`${cache} ${result}`, Number(count))
    }
  const rows = [...new Set([...counts.keys()].map((key) => key.split(' ')[0]!))].map((cache) => {
    const [hits, misses] = ['hit', 'miss'].map((result) => counts.get(`${cache} ${result}`) ?? 0) as [
      number,
      number,
    ]
    return `| ${cache} | ${hits} | ${misses} | ${((hits / (hits + misses)) * 100).toFixed(2)} % |`
  })
  return `| cache | hits | misses | hit rate |\n|---|---|---|---|\n${rows.join('\n')}`
}

const subject = await startSubject()
const hello = new Worker(new URL('./hello-server.ts', import.meta.url))
const [helloUrl] = (await once(hello, 'message')) as [string]
try {
  const people = await crowd(subject)
  const read = (url: string) => async (n: number) => {
    await call('GET', url, { token: people[n % USERS]!.token })
  }
  const { user, friend } = subject
  const ids = people.map(({ id }) => id).join(',')
  const table = await readsTable(
    [
      { name: 'Fastify, a constant', once: read(helloUrl), processes: [] },
      { name: 'GET /health', once: read(`${user}/health`), processes: [user] },
      { name: 'GET /profile/me', once: read(`${user}/profile/me`), processes: [user] },
      {
        name: `GET /users, ${USERS} profiles`,
        once: read(`${user}/users?user_ids=${ids}`),
        processes: [user],
      },
      { name: 'GET /friends, 19 friends', once: read(`${friend}/friends`), processes: [user, friend] },
      {
        name: 'GET /friends?sort=name',
        once: read(`${friend}/friends?sort=name`),
        processes: [user, friend],
      },
    ],
    IN_FLIGHT,
  )
  console.log(
    `Reads of accounts, ${availableParallelism()} cores shared by everything, node ${process.version}\n\n${table}\n\n${await hitRates([user, friend])}`,
  )
} finally {
  await Promise.all([agent.close(), hello.terminate()])
  await subject.stop()
}

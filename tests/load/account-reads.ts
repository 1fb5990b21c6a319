import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { readPositionals } from '@bigtech/service-kit'
import { waitFor } from '@bigtech/testkit'
import { Agent, request } from 'undici'
import { type AccountSubject, startAccountSubject } from './account-subject.ts'
import { measureRows, readsTable, timesAsOften } from './measure-reads.ts'
import { aimsOf } from './report.ts'

const usage = `Usage: node tests/load/account-reads.ts
The caller's profile, 20 profiles and the list of 19 friends, at 1 and 32 in flight: CPU and store requests of each, beside
a Fastify that responds with a constant; then the hit rates of the caches. Takes about 40 s.

    BIGTECH_SERVERS_FILE=... node tests/load/account-reads.ts`

readPositionals(usage)
const IN_FLIGHT = [1, 32]
const USERS = 20
const PASSWORD = 'Load1234!@'

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

/** Registers users who are all friends and online. */
async function crowd({ user, friend }: AccountSubject): Promise<{ id: number; token: string }[]> {
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

const subject = await startAccountSubject()
const hello = new Worker(new URL('./hello-server.ts', import.meta.url))
const [helloUrl] = (await once(hello, 'message')) as [string]
try {
  const people = await crowd(subject)
  const read = (url: string) => async (n: number) => {
    await call('GET', url, { token: people[n % USERS]!.token })
  }
  const { user, friend } = subject
  const ids = people.map(({ id }) => id).join(',')
  const measured = await measureRows(
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
  const aims = aimsOf([
    {
      what: `GET /profile/me at ${IN_FLIGHT.at(-1)} in flight / Fastify, a constant`,
      figure: timesAsOften(measured, 'GET /profile/me', 'Fastify, a constant'),
      atLeast: 0.35,
    },
  ])
  console.log(
    `Reads of accounts, ${availableParallelism()} cores shared by everything\n\n${readsTable(measured)}\n\n${aims}\n\n${await hitRates([user, friend])}`,
  )
} finally {
  await Promise.all([agent.close(), hello.terminate()])
  await subject.stop()
}

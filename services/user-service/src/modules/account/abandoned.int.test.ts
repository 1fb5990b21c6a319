import { uniqueName, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  PASSWORD,
  type Person,
  type TestService,
  type TestWorld,
  testWorld,
} from '../../../testing/harness.ts'

let world: TestWorld
let users: TestService
let url: string
let person: Person

beforeAll(async () => {
  world = await testWorld()
  // One thread and hashes of about 0.1 s: further tasks wait in the queue.
  users = await world.build({ BCRYPT_COST: '10', BCRYPT_WORKERS: '1' }, { started: false })
  url = await users.listen()
})
afterAll(() => world.close())
beforeEach(async () => {
  person = await users.person()
})

/** Reads the registry directly, because on a busy machine scraping takes longer than the queue is blocked. */
async function waiting(): Promise<number> {
  const gauge = await users.service.metrics.getSingleMetric('password_hashes_waiting')!.get()
  return gauge.values[0]!.value
}
const dropped = () => users.metric(/^password_hashes_dropped_total/)
const sessions = () => world.mysql.query('SELECT 1 FROM sessions WHERE user_id = ?', [person.userId])

const BUSY = 8

/** Occupies the only thread. Returns once all registrations have reached the queue; `done` resolves at their end. */
async function occupy(): Promise<{ done: Promise<unknown> }> {
  const done = Promise.all(Array.from({ length: BUSY }, () => users.register()))
  await waitFor(async () => (await waiting()) >= BUSY - 2, { intervalMs: 1 })
  return { done }
}

/** Sends a request and disconnects as soon as its password is queued. */
async function sendAndHangUp(method: string, path: string, body: unknown, token?: string): Promise<void> {
  const hangUp = new AbortController()
  let last = await waiting()
  const answer = fetch(url + path, {
    method,
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
    signal: hangUp.signal,
  }).catch(() => undefined)
  // Only this request can lengthen the queue.
  const hasGrown = async () => {
    const before = last
    last = await waiting()
    return last > before
  }
  await waitFor(hasGrown, { intervalMs: 1 })
  hangUp.abort()
  await answer
}

describe('a caller that disconnects while its password is queued', () => {
  it.each([
    ['opens no session', 'POST', '/auth/login/json', () => ({ email: person.email, password: PASSWORD })],
    ['deletes no account', 'DELETE', '/profile/me', () => ({ password: PASSWORD })],
    [
      'changes no password',
      'PUT',
      '/auth/password',
      () => ({ current_password: PASSWORD, new_password: 'Better5678#$' }),
    ],
  ] as const)(
    'a caller that disconnects while its password is queued %s, and frees its place in the queue',
    async (_what, method, path, body) => {
      const [sessionsBefore, droppedBefore] = [(await sessions()).length, await dropped()]
      const busy = await occupy()
      await sendAndHangUp(method, path, body(), method === 'POST' ? undefined : person.token)
      await waitFor(async () => (await dropped()) === droppedBefore + 1)
      await busy.done
      expect(await sessions()).toHaveLength(sessionsBefore)
      expect((await users.login(person.email)).status).toBe(200)
      const limits = await users.call('GET', '/profile/me', { token: person.token })
      expect(limits.status).toBe(200)
    },
  )

  it('a caller that disconnects while its password is queued creates no account', async () => {
    const username = uniqueName('gone')
    const busy = await occupy()
    const account = { email: `${username}@example.com`, username, password: PASSWORD }
    await sendAndHangUp('POST', '/auth/register', account)
    await busy.done
    // The queue is first in, first out: everything queued before this request is finished.
    await users.register()
    expect(await world.mysql.query('SELECT 1 FROM users WHERE username = ?', [username])).toEqual([])
  })
})

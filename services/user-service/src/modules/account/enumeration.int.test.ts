import { uniqueName, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  PASSWORD,
  type Person,
  type TestService,
  type TestWorld,
  testWorld,
} from '../../../testing/harness.ts'

/** Two-sided, p < 1e-6: a run in a million fails without a reason. */
const SIGNIFICANT_Z = 4.89
/** Enough that two distributions that do not overlap give z = 7. */
const SAMPLES = 36
const WARM_UP = 4
/** Each holds a connection of the 40 until the lock is gone; fewer than 17 could not reach `SIGNIFICANT_Z`. */
const LOCKED_SAMPLES = 20

let world: TestWorld
let users: TestService
let people: Person[]
let nextAddress = 0

beforeAll(async () => {
  world = await testWorld()
  // A hash of 15 ms: one that is left out must stand out of the noise of a busy machine.
  users = await world.build({ BCRYPT_COST: '8', DATABASE_POOL_SIZE: '40' })
  await waitFor(async () => (await users.call('GET', '/ready')).status === 200, { timeoutMs: 30_000 })
  people = []
  for (let n = 0; n < 14; n++) people.push(await users.person())
}, 120_000)
afterAll(() => world?.close())

/** Every request from an address of its own: no limit of an address gets in the way. */
function freshAddress(): string {
  nextAddress++
  return `10.${nextAddress >> 8}.${nextAddress & 255}.7`
}

const unknownEmail = () => `${uniqueName('nobody')}@example.com`

/** Everything that a client can see of a response, except for what differs between any two requests. */
function visible({ status, body, headers }: Awaited<ReturnType<TestService['call']>>) {
  const { request_id: _, ...rest } = body ?? {}
  return { status, body: rest, headers: Object.keys(headers).sort() }
}

type Ask = (index: number) => ReturnType<TestService['call']>

/**
 * Asks for both kinds in random order, since background work of a request slows the next one of either kind.
 * Returns the milliseconds of each, and what could be seen of the responses.
 */
async function compare(existing: Ask, unknown: Ask, samples: number) {
  const times = { existing: [] as number[], unknown: [] as number[] }
  const seen = { existing: new Set<string>(), unknown: new Set<string>() }
  for (let index = -WARM_UP; index < samples; index++) {
    const pair = Math.random() < 0.5 ? (['existing', 'unknown'] as const) : (['unknown', 'existing'] as const)
    for (const kind of pair) {
      const began = performance.now()
      const answer = await (kind === 'existing' ? existing : unknown)(index + WARM_UP)
      if (index < 0) continue
      times[kind].push(performance.now() - began)
      seen[kind].add(JSON.stringify(visible(answer)))
    }
  }
  return { times, seen }
}

/** The z-score of the Mann-Whitney U test: how far from chance one sample ranks before the other. Ties count half. */
function mannWhitneyZ(a: readonly number[], b: readonly number[]): number {
  let u = 0
  for (const x of a) for (const y of b) u += x > y ? 1 : x === y ? 0.5 : 0
  const product = a.length * b.length
  return (u - product / 2) / Math.sqrt((product * (a.length + b.length + 1)) / 12)
}

async function expectIndistinguishable(existing: Ask, unknown: Ask, samples = SAMPLES): Promise<void> {
  const { times, seen } = await compare(existing, unknown, samples)
  expect([...seen.existing]).toHaveLength(1)
  expect([...seen.unknown]).toEqual([...seen.existing])
  expect(Math.abs(mannWhitneyZ(times.existing, times.unknown))).toBeLessThan(SIGNIFICANT_Z)
}

const personAt = (index: number) => people[index % people.length] as Person

it('signing in with a wrong password reveals neither by response nor by time whether the account exists', async () => {
  const nobody = people.map(unknownEmail)
  const signIn = (email: string) => users.login(email, 'Wrong1234!@', { ip: freshAddress() })
  await expectIndistinguishable(
    (index) => signIn(personAt(index).email),
    (index) => signIn(nobody[index % nobody.length] as string),
  )
}, 120_000)

it('requesting a password reset reveals neither by response nor by time whether the account exists', async () => {
  const nobody = people.map(unknownEmail)
  const forgot = (email: string) =>
    users.call('POST', '/auth/password/forgot', { body: { email }, ip: freshAddress() })
  // What is done for an existing account takes as long as the lock is held: a response that waited for it would reveal the account.
  await world.mysql.query('LOCK TABLES account_links WRITE')
  try {
    await expectIndistinguishable(
      (index) => forgot(personAt(index).email),
      (index) => forgot(nobody[index % nobody.length] as string),
      LOCKED_SAMPLES,
    )
  } finally {
    await world.mysql.query('UNLOCK TABLES')
  }
}, 120_000)

it('searching for an address reveals neither by response nor by time whether its owner has opted out of search', async () => {
  const [target, ...searchers] = people
  // Twenty searches a minute are allowed: everybody does a few.
  let searches = 0
  const search = (email: string) => {
    const { token } = searchers[searches++ % searchers.length] as Person
    return users.call('GET', `/users/search?q=${encodeURIComponent(email)}`, { token })
  }
  await expectIndistinguishable(
    () => search(target!.email),
    () => search(unknownEmail()),
  )
}, 120_000)

it('changing to a taken address gets the same response as changing to a free one', async () => {
  const change = async (person: Person, email: string) =>
    visible(
      await users.call('PUT', '/auth/email', { token: person.token, body: { email, password: PASSWORD } }),
    )
  const taken = await change(people[0]!, people[1]!.email)
  expect(taken.status).toBe(202)
  expect(await change(people[2]!, unknownEmail())).toEqual(taken)
})

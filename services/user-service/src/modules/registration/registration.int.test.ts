import { join } from 'node:path'
import { pictureUrlOf } from '@bigtech/contracts'
import { createOutbox } from '@bigtech/outbox'
import { createLogger, Problem, StoreUnavailable } from '@bigtech/service-kit'
import { createTestMysql, type TestMysql, uniqueName, waitFor } from '@bigtech/testkit'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMysql, type Mysql } from '../../infrastructure/mysql.ts'
import { createAccountRepository } from '../account/account.repository.ts'
import { replayUsers } from '../history/replay.ts'
import { ownedUsers, republishUsers } from '../profile/owned-users.ts'
import { createRegistrationRepository } from './registration.repository.ts'
import { createRegistrationService } from './registration.service.ts'
import type { RegistrationExtras, RegistrationNeighbours } from './registration.ts'

const LEASE_MS = 60_000
const DUE_MS = 15 * 60_000
const PATIENCE_MS = 30_000
/** Some thirty crashes, on a busy machine. */
const TEST_MS = 120_000
const outbox = createOutbox('user-service')
let database: TestMysql
let mysql: Mysql

beforeAll(async () => {
  database = await createTestMysql({ migrationsDir: join(import.meta.dirname, '../../../migrations') })
  mysql = createMysql(database.url, new Registry(), 5)
})
afterAll(async () => {
  await mysql.close()
  await database.drop()
})

const preferences = {
  message_push: true,
  friend_request_push: false,
  mentions_when_muted: true,
  show_preview: false,
  quiet_hours: null,
}
const everything: RegistrationExtras = {
  picture: { mime: 'image/png', bytes: Buffer.from('picture') },
  preferences,
}

/** What media- and notification-service have stored. */
class Neighbours implements RegistrationNeighbours {
  readonly uploaded: string[] = []
  readonly claimed = new Set<string>()
  saved: unknown
  refusal: string | null = null

  async upload() {
    const id = crypto.randomUUID()
    this.uploaded.push(id)
    return id
  }
  async file() {
    return { isReady: this.refusal === null, refusal: this.refusal }
  }
  async claim(_identity: unknown, fileId: string) {
    this.claimed.add(fileId)
  }
  async savePreferences(_identity: unknown, saved: unknown) {
    this.saved = saved
  }
}

/** Stops a process before or after one of its calls, as a crash does, and can let it go on, as a stall does. */
class Halt {
  readonly #at: number
  readonly #reached = Promise.withResolvers<void>()
  readonly #released = Promise.withResolvers<void>()
  points = 0

  constructor(at = -1) {
    this.#at = at
  }
  get reached() {
    return this.#reached.promise
  }
  release() {
    this.#released.resolve()
  }
  async #pass() {
    if (this.points++ !== this.#at) return
    this.#reached.resolve()
    await this.#released.promise
  }
  wrap<Target extends object>(target: Target): Target {
    return new Proxy(target, {
      get: (inner, name) => {
        const method = Reflect.get(inner, name)
        if (typeof method !== 'function') return method
        return async (...args: unknown[]) => {
          await this.#pass()
          const result = await method.apply(inner, args)
          await this.#pass()
          return result
        }
      },
    })
  }
}

function processOf(neighbours: RegistrationNeighbours, halt = new Halt()) {
  return createRegistrationService({
    registrations: halt.wrap(createRegistrationRepository(mysql, outbox, LEASE_MS)),
    neighbours: halt.wrap(neighbours),
    checkRegistration: () => Promise.reject(new Error('not used')),
    bearerOf: () => 'token',
    log: createLogger({ service: 'test', level: 'silent' }),
    onRegistered: () => undefined,
    wakeRelay: () => undefined,
    wakeSaga: () => undefined,
    lanes: 1,
  })
}

function newAccount() {
  const username = uniqueName('r')
  const email = `${username}@example.com`
  return { email, username, displayName: username, locale: 'ko', passwordHash: 'x'.repeat(60) }
}

/** Repeats work that a busy store did not respond in time. */
async function persist<Result>(work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work()
    } catch (err) {
      if (!(err instanceof StoreUnavailable)) throw err
    }
  }
}

const reserve = (extras = everything, dueMs = DUE_MS) =>
  persist(async () => {
    const account = newAccount()
    const id = await createRegistrationRepository(mysql, outbox, LEASE_MS).reserve(account, extras, dueMs)
    return { id, account }
  })
const register = (account: ReturnType<typeof newAccount>) =>
  persist(() => createAccountRepository(mysql, outbox).create(account, 'test'))

const rowOf = async (id: string) => {
  const [row] = await database.query<{
    state: string
    user_id: number
    failure: string | null
    picture: Buffer | null
    settings: string | null
  }>('SELECT * FROM registrations WHERE id = ?', [id])
  return row!
}
const userOf = async (userId: number) => {
  const [user] = await database.query<Record<string, unknown>>('SELECT * FROM users WHERE id = ?', [userId])
  return user!
}
const eventsOf = async (userId: number) => {
  const rows = await database.query<{ event_type: string }>(
    "SELECT event_type FROM outbox WHERE msg_key = ? AND event_type <> 'AccountMailRequested' ORDER BY id",
    [String(userId)],
  )
  return rows.map(({ event_type }) => event_type)
}
/** Ends every lease, as time does. */
const endLeases = () =>
  database.query("UPDATE registrations SET leased_until = UTC_TIMESTAMP(3) WHERE state = 'running'")

/** Ends every lease and runs the process, until the registration has ended. */
const finish = (id: string, neighbours: Neighbours, halt = new Halt()) =>
  waitFor(
    async () => {
      await endLeases()
      await persist(processOf(neighbours, halt).resumeRegistrations)
      const row = await rowOf(id)
      return row.state !== 'running' && row
    },
    { timeoutMs: PATIENCE_MS, what: 'the registration to end' },
  )

/** Runs a registration whose first process halts at the point, whose second one resumes, and then wakes the first. */
async function crashAt(point: number, neighbours: Neighbours) {
  const { id, account } = await reserve()
  const halt = new Halt(point)
  const stalled = persist(processOf(neighbours, halt).resumeRegistrations)
  await Promise.race([halt.reached, stalled])
  const atTakeover = await finish(id, neighbours)
  halt.release()
  await stalled
  return { id, account, atTakeover, row: await rowOf(id) }
}

async function pointsOf(neighbours: Neighbours): Promise<number> {
  const halt = new Halt()
  await finish((await reserve()).id, neighbours, halt)
  return halt.points
}

describe('a registration', () => {
  it(
    'is completed exactly once although its process dies or stalls at any point, with picture and settings',
    async () => {
      const points = await pointsOf(new Neighbours())
      expect(points).toBeGreaterThanOrEqual(18)
      for (let point = 0; point < points; point++) {
        const neighbours = new Neighbours()
        const { atTakeover, row, account } = await crashAt(point, neighbours)
        const where = `halted at ${point} of ${points}`
        expect([atTakeover.state, row.state], where).toEqual(['completed', 'completed'])
        expect([row.picture, row.settings], where).toEqual([null, null])
        const user = await userOf(row.user_id)
        expect(user, where).toMatchObject({ status: 'active', email: account.email })
        const shown = neighbours.uploaded.map(pictureUrlOf).indexOf(String(user.profile_image_url))
        expect(neighbours.claimed.has(neighbours.uploaded[shown] ?? ''), where).toBe(true)
        expect(neighbours.saved, where).toEqual(preferences)
        expect(await eventsOf(row.user_id), where).toEqual(['UserRegistered', 'UserUpdated'])
      }
      expect(await persist(() => replayUsers(mysql, outbox, { repair: 'none' }))).toEqual([])
    },
    TEST_MS,
  )

  it(
    'with a refused picture frees address and username exactly once, whatever point its process dies at',
    async () => {
      const refusing = () => Object.assign(new Neighbours(), { refusal: 'It is not a picture.' })
      const points = await pointsOf(refusing())
      expect(points).toBeGreaterThanOrEqual(10)
      for (let point = 0; point < points; point++) {
        const { row, account } = await crashAt(point, refusing())
        const where = `halted at ${point} of ${points}`
        expect(row, where).toMatchObject({ state: 'failed', failure: 'PICTURE_REFUSED', picture: null })
        expect(await userOf(row.user_id), where).toMatchObject({ status: 'deleted', email: null })
        expect(await eventsOf(row.user_id), where).toEqual(['UserDeleted'])
        const next = await register(account)
        expect(next.username).toBe(account.username)
      }
      expect(await persist(() => replayUsers(mysql, outbox, { repair: 'none' }))).toEqual([])
    },
    TEST_MS,
  )

  it('a registration fails when its steps are not done in time', async () => {
    const { id, account } = await reserve(everything, -1)
    expect(await finish(id, new Neighbours())).toMatchObject({ state: 'failed', failure: 'EXPIRED' })
    await register(account)
  })

  it('a registration waits for a neighbor service that limits it, and fails when the neighbor refuses the settings', async () => {
    const neighbours = new Neighbours()
    let refusal = new Problem('RATE_LIMITED', { retryAfterSeconds: 1 })
    neighbours.savePreferences = () => Promise.reject(refusal)
    const { id } = await reserve({ picture: null, preferences })
    await persist(processOf(neighbours).resumeRegistrations)
    expect((await rowOf(id)).state).toBe('running')
    refusal = new Problem('NOT_FOUND')
    expect(await finish(id, neighbours)).toMatchObject({ state: 'failed', failure: 'SETTINGS_REFUSED' })
  })

  it('a registration is published to nobody while it is running, not even by a repair of copies', async () => {
    const { id } = await reserve()
    const repair = { raiseVersions: false, correlationId: 'test' }
    await persist(() => republishUsers(mysql, outbox, repair))
    expect(await eventsOf((await rowOf(id)).user_id)).toEqual([])
    const owned: (string | number)[] = []
    for await (const { ids } of ownedUsers(mysql)) owned.push(...ids)
    expect(owned).not.toContain((await rowOf(id)).user_id)
  })

  it('cannot take an address or a username that another registration has reserved', async () => {
    const { account } = await reserve({ picture: null, preferences: null })
    const repository = createRegistrationRepository(mysql, outbox, LEASE_MS)
    const nothing = { picture: null, preferences: null }
    for (const taken of ['email', 'username'] as const) {
      const other = { ...newAccount(), [taken]: account[taken] }
      await expect(persist(() => repository.reserve(other, nothing, DUE_MS))).rejects.toMatchObject({
        what: taken,
      })
      await expect(register(other)).rejects.toMatchObject({
        what: taken,
      })
    }
  })
})

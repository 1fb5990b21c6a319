import type { ServerResponse } from 'node:http'
import { accountMailRequested } from '@bigtech/contracts'
import { type EventCollector, startHttpServer, type TestHttpServer, waitFor } from '@bigtech/testkit'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import {
  PASSWORD,
  type Person,
  type TestService,
  type TestWorld,
  testWorld,
} from '../../../testing/harness.ts'

let world: TestWorld
let users: TestService
let events: EventCollector
let neighbor: TestHttpServer
/** Responses of the neighbor services that replace their part. */
const answers = new Map<string, (response: ServerResponse) => void>()
/** The requested parts with the token's user. */
const asked: { readonly url: string; readonly userId: number }[] = []

const PATIENCE_MS = 60_000

beforeAll(async () => {
  world = await testWorld()
  neighbor = await startHttpServer((request, response) => {
    const url = request.url ?? ''
    const [, claims = ''] = (request.headers.authorization ?? '').split('.')
    asked.push({ url, userId: Number(JSON.parse(Buffer.from(claims, 'base64url').toString()).sub) })
    response.setHeader('content-type', 'application/json')
    const answer = answers.get(url)
    if (answer) answer(response)
    else response.end(JSON.stringify({ from: url }))
  })
  const { url } = neighbor
  users = await world.build({
    FRIEND_SERVICE_URL: url,
    CHAT_SERVICE_URL: url,
    NOTIFICATION_SERVICE_URL: url,
    MEDIA_SERVICE_URL: url,
    DELETION_GRACE_DAYS: '0',
  })
  await waitFor(async () => (await users.call('GET', '/ready')).status === 200, {
    timeoutMs: PATIENCE_MS / 2,
  })
  events = await world.events()
}, PATIENCE_MS)
afterAll(async () => {
  await world?.close()
  await neighbor?.close()
})
afterEach(() => answers.clear())

const request = ({ token }: Person) => users.call('POST', '/profile/me/export', { token })
const state = async ({ token }: Person) => (await users.call('GET', '/profile/me/export', { token })).body
const ready = (person: Person) =>
  waitFor(
    async () => {
      const body = await state(person)
      return body.state === 'ready' && body
    },
    { timeoutMs: PATIENCE_MS / 2, what: 'the archive to be ready' },
  )
const download = ({ token }: Person, link: string) =>
  users.call('POST', '/profile/me/export/download', { token, body: { token: link } })

/** Returns the token in the newest mail about an archive, fetched like notification-service does. */
async function mailedToken({ userId }: Person): Promise<string> {
  const [link] = await world.mysql.query<{ id: string }>(
    "SELECT id FROM account_links WHERE user_id = ? AND purpose = 'download_export' AND used_at IS NULL",
    [userId],
  )
  return (await users.call('POST', `/internal/account-links/${link?.id}`)).body.token
}

it(
  'an archive is built in the background from every service, and the mailed link downloads it',
  async () => {
    const person = await users.person()
    await users.call('POST', '/moderation/reports', {
      token: person.token,
      body: { user_id: (await users.person()).userId, reason: 'spam', comment: 'ads' },
    })
    const { status, body } = await request(person)
    expect(status).toBe(202)
    expect(body).toMatchObject({ state: 'pending', parts_total: 5, size_bytes: null })
    const done = await ready(person)
    const mail = await events.waitFor(
      accountMailRequested,
      ({ user_id, purpose }) => user_id === person.userId && purpose === 'download_export',
    )
    expect(mail.link_id).toMatch(/^[0-9a-f-]{36}$/)

    const {
      status: downloaded,
      body: archive,
      headers,
      text,
    } = await download(person, await mailedToken(person))
    expect(downloaded).toBe(200)
    expect(archive).toMatchObject({
      profile: { user_id: person.userId, email: person.email },
      settings: { findable_by_email: false },
      sign_in: { login_count: 1, authenticator_app_since: null, recovery_codes_left: 0, passkeys: [] },
      sessions: [{ device: expect.any(String), ended_at: null }],
      activities: [{ type: 'signed_in' }, { type: 'export_requested' }],
      reports: [{ reason: 'spam', comment: 'ads', closed_at: null }],
      moderation_notices: [],
      friends: { from: '/friends/export' },
      rooms: { from: '/rooms/export' },
      notifications: { from: '/notifications/export' },
      files: { from: '/files/export' },
    })
    expect(headers['content-disposition']).toContain('attachment')
    expect(Number(headers['content-length'])).toBe(Buffer.byteLength(text))
    expect(done).toMatchObject({ parts_done: 5, size_bytes: Buffer.byteLength(text) })
    expect(text).not.toMatch(/\$2[aby]\$|Test1234/)
  },
  PATIENCE_MS,
)

it(
  'a link downloads the archive once in 20 concurrent uses, and a new link can be mailed',
  async () => {
    const person = await users.person()
    await request(person)
    await ready(person)
    const token = await mailedToken(person)
    const uses = await Promise.all(Array.from({ length: 20 }, () => download(person, token)))
    expect(uses.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(400)])
    const again = await users.call('POST', '/profile/me/export/link', { token: person.token })
    expect(again.status).toBe(202)
    expect((await download(person, token)).body.code).toBe('LINK_INVALID')
    expect((await download(person, await mailedToken(person))).status).toBe(200)
  },
  PATIENCE_MS,
)

it(
  "a link requires its owner's session, and another user's session does not consume it",
  async () => {
    const [person, other] = [await users.person(), await users.person()]
    for (const each of [person, other]) {
      await request(each)
      await ready(each)
    }
    const token = await mailedToken(person)
    expect((await download(other, token)).body.code).toBe('LINK_INVALID')
    expect((await users.call('POST', '/profile/me/export/download', { body: { token } })).status).toBe(401)
    expect((await download(person, person.token)).body.code).toBe('LINK_INVALID')
    expect((await download(person, token)).body.profile.user_id).toBe(person.userId)
  },
  PATIENCE_MS,
)

it(
  'an archive waits for a failing service and requests no complete part again',
  async () => {
    const person = await users.person()
    let tries = 0
    answers.set('/rooms/export', (response) => {
      tries++
      if (tries > 1) return void response.end('{"rooms":[{"room_id":7}]}')
      response.write('{"rooms":[')
      setImmediate(() => response.destroy())
    })
    await request(person)
    await waitFor(() => tries === 1, { timeoutMs: PATIENCE_MS / 2 })
    expect(await state(person)).toMatchObject({ state: 'pending', parts_done: 2 })
    await ready(person)
    expect(tries).toBe(2)
    const { body } = await download(person, await mailedToken(person))
    expect(body).toMatchObject({ friends: { from: '/friends/export' }, rooms: { rooms: [{ room_id: 7 }] } })
    const askedFriends = asked.filter(
      ({ url, userId }) => url === '/friends/export' && userId === person.userId,
    )
    expect(askedFriends).toHaveLength(1)
  },
  PATIENCE_MS,
)

it(
  'a process that has lost its lease writes nothing more, and the next process builds the complete archive',
  async () => {
    const person = await users.person()
    let open: ServerResponse | undefined
    answers.set('/rooms/export', (response) => {
      if (open) response.end('{"rooms":["whole"]}')
      else {
        open = response
        response.write(`{"rooms":["${'x'.repeat(300_000)}"`)
      }
    })
    await request(person)
    await waitFor(() => open !== undefined, { timeoutMs: PATIENCE_MS / 2 })
    await world.mysql.query(
      "UPDATE data_exports SET lease_id = 'another-process', leased_until = UTC_TIMESTAMP(3) WHERE user_id = ?",
      [person.userId],
    )
    open!.end(']}')
    await ready(person)
    const { body } = await download(person, await mailedToken(person))
    expect(body.rooms).toEqual({ rooms: ['whole'] })
  },
  PATIENCE_MS,
)

it(
  'a repeated request changes nothing while an archive is being built; five requests a day are allowed',
  async () => {
    const person = await users.person()
    let finish = () => {}
    answers.set('/files/export', (response) => {
      finish = () => response.end('{}')
    })
    await Promise.all([request(person), request(person), request(person)])
    const first = await state(person)
    expect((await request(person)).body.requested_at).toBe(first.requested_at)
    expect((await users.call('POST', '/profile/me/export/link', { token: person.token })).body.code).toBe(
      'EXPORT_NOT_READY',
    )
    const stored = await world.mysql.query('SELECT 1 FROM data_exports WHERE user_id = ?', [person.userId])
    expect(stored).toHaveLength(1)
    await waitFor(() => asked.some(({ url, userId }) => url === '/files/export' && userId === person.userId))
    finish()
    answers.clear()
    await ready(person)
    const codes = []
    for (let n = 0; n < 5; n++) {
      codes.push((await request(person)).status)
      if (codes.at(-1) === 202) await ready(person)
    }
    expect(codes).toContain(429)
  },
  PATIENCE_MS,
)

it(
  'deleting an account deletes its archive, and an archive is deleted after 7 days',
  async () => {
    const [leaving, staying] = [await users.person(), await users.person()]
    for (const each of [leaving, staying]) {
      await request(each)
      await ready(each)
    }
    const chunks = async ({ userId }: Person) =>
      world.mysql.query('SELECT 1 FROM data_exports WHERE user_id = ?', [userId])
    await users.call('DELETE', '/profile/me', { token: leaving.token, body: { password: PASSWORD } })
    await waitFor(async () => (await chunks(leaving)).length === 0)
    const orphans = await world.mysql.query(
      'SELECT 1 FROM data_export_chunks WHERE export_id NOT IN (SELECT id FROM data_exports)',
    )
    expect(orphans).toEqual([])

    const later = await world.build({}, { now: () => new Date(Date.now() + 8 * 86_400_000) })
    await waitFor(async () => (await chunks(staying)).length === 0)
    await later.service.stop()
    expect((await users.call('GET', '/profile/me/export', { token: staying.token })).body.code).toBe(
      'EXPORT_NOT_FOUND',
    )
  },
  PATIENCE_MS,
)

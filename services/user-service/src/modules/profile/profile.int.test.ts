import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import {
  type ProblemCode,
  pictureUrlOf,
  problems,
  storageUsageExample,
  userUpdated,
} from '@bigtech/contracts'
import {
  type EventCollector,
  startHttpServer,
  storeRequests,
  type TestHttpServer,
  waitFor,
} from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Person, type TestService, type TestWorld, testWorld } from '../../../testing/harness.ts'

let world: TestWorld
let users: TestService
let events: EventCollector
let neighbor: TestHttpServer
/** Responses of media-service to claims; unlisted files are accepted. */
const refusals = new Map<string, ProblemCode>()
function answerClaim(fileId: string, response: ServerResponse): void {
  const code = refusals.get(fileId)
  response.writeHead(code ? problems[code].status : 204)
  response.end(code && JSON.stringify({ code, detail: `detail of ${code}` }))
}
const asked: { url: string; authorization: string | undefined }[] = []

beforeAll(async () => {
  world = await testWorld()
  neighbor = await startHttpServer((request, response) => {
    asked.push({ url: request.url ?? '', authorization: request.headers.authorization })
    response.setHeader('content-type', 'application/json')
    if (request.url === '/files/usage') response.end(JSON.stringify(storageUsageExample))
    else answerClaim(request.url?.split('/')[2] ?? '', response)
  })
  const { url } = neighbor
  users = await world.build({ MEDIA_SERVICE_URL: url })
  events = await world.events()
})
afterAll(async () => {
  await world.close()
  await neighbor.close()
})

const update = (token: string, body: unknown) => users.call('PUT', '/profile/me', { token, body })

describe('my profile', () => {
  it('concurrent reads of profiles share statements, return the own user, and miss no completed update', async () => {
    const people = [await users.person(), await users.person(), await users.person()]
    const read = async ({ token }: Person) => (await users.call('GET', '/profile/me', { token })).body
    await Promise.all(people.map(read))
    const many = Array.from({ length: 30 }, (_, index) => people[index % people.length]!)
    const cost = await storeRequests(users.service.metrics, /^redis|presence|outbox/, async () => {
      const found = await Promise.all(many.map(read))
      expect(found.map(({ id }) => id)).toEqual(many.map(({ userId }) => userId))
    })
    expect(cost['mysql findOwn']).toBeLessThanOrEqual(10)
    const changeOften = async (person: Person) => {
      for (let n = 0; n < 8; n++) {
        await update(person.token, { status_message: `${n}` })
        expect((await read(person)).status_message).toBe(`${n}`)
      }
    }
    await Promise.all(people.map(changeOften))
  })

  it('a profile update changes the given fields and keeps the others', async () => {
    const { token } = await users.person({ display_name: '김민지' })
    const fileId = crypto.randomUUID()
    await update(token, { status_message: '휴가 중', profile_image_file_id: fileId })
    const { body } = await update(token, { status_message: null })
    expect(body).toMatchObject({
      display_name: '김민지',
      status_message: null,
      profile_image_url: pictureUrlOf(fileId),
    })
    expect((await users.call('GET', '/profile/me', { token })).body).toMatchObject(body)
  })

  it('a profile update publishes the complete public profile for every real change, in order', async () => {
    const { token, userId } = await users.person()
    for (const status_message of ['1', '2', '2', '3']) await update(token, { status_message })
    await events.waitFor(userUpdated, (event) => event.user_id === userId && event.status_message === '3')
    const mine = events.events.filter(
      (event) => event.event_type === 'UserUpdated' && 'user_id' in event && event.user_id === userId,
    ) as unknown as { status_message: string; username: string }[]
    expect(mine.map(({ status_message }) => status_message)).toEqual(['1', '2', '3'])
    expect(mine[0]).toMatchObject({ username: expect.any(String), display_name: expect.any(String) })
  })

  it('10 concurrent profile updates lose no change, and the last event equals the state', async () => {
    const { token, userId } = await users.person()
    const bodies = Array.from({ length: 10 }, (_, n) =>
      n % 2 ? { display_name: `name ${n}` } : { status_message: `status ${n}` },
    )
    const answers = await Promise.all(bodies.map((body) => update(token, body)))
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
    const { body } = await users.call('GET', '/profile/me', { token })
    expect(body.display_name).toMatch(/^name/)
    expect(body.status_message).toMatch(/^status/)
    const mine = () =>
      events.events.filter(
        (event) => event.event_type === 'UserUpdated' && 'user_id' in event && event.user_id === userId,
      )
    await expect.poll(() => mine().length, { timeout: 10_000 }).toBe(10)
    // Each change is based on the previous one: one field differs, the other is kept.
    const states = mine() as unknown as { display_name: string; status_message: string | null }[]
    for (const [index, state] of states.slice(1).entries()) {
      const before = states[index]!
      const kept =
        Number(state.display_name === before.display_name) +
        Number(state.status_message === before.status_message)
      expect(kept).toBe(1)
    }
    expect(mine().at(-1)).toMatchObject({
      display_name: body.display_name,
      status_message: body.status_message,
    })
  })

  it('a profile shows how much storage is used, asked once for many reads, and null during an outage', async () => {
    const { token } = await users.person()
    const alone = await world.build()
    const storageOf = async (service: TestService) =>
      (await service.call('GET', '/profile/me', { token })).body.storage
    // On a busy machine a response may arrive after its deadline.
    await expect.poll(() => storageOf(users), { timeout: 10_000 }).toEqual(storageUsageExample)
    const questions = () => asked.filter(({ authorization }) => authorization === `Bearer ${token}`)
    expect(questions()).toContainEqual({ url: '/files/usage', authorization: `Bearer ${token}` })
    const { length } = questions()
    await Promise.all(Array.from({ length: 5 }, () => storageOf(users)))
    expect(questions()).toHaveLength(length)
    await waitFor(async () => (await storageOf(alone)) === null)
  })

  it.each([
    ['nothing', {}, 'body'],
    ['an unknown field', { username: 'other' }, 'username'],
    ['an empty display name', { display_name: '  ' }, 'display_name'],
    ['a display name of 51 characters', { display_name: 'x'.repeat(51) }, 'display_name'],
    ['a status of 201 characters', { status_message: 'x'.repeat(201) }, 'status_message'],
    ['a picture from nowhere', { profile_image_url: 'javascript:alert(1)' }, 'profile_image_url'],
    [
      'a picture on another server',
      { profile_image_url: 'https://cdn.example.com/a.webp' },
      'profile_image_url',
    ],
    ['a picture that is not a file', { profile_image_file_id: '7' }, 'profile_image_file_id'],
    [
      'two pictures',
      { profile_image_file_id: crypto.randomUUID(), profile_image_url: pictureUrlOf(crypto.randomUUID()) },
      'profile_image_url',
    ],
  ])('a profile update rejects %s with 422', async (_case, body, field) => {
    const { token } = await users.person()
    const answer = await update(token, body)
    expect(answer.status).toBe(422)
    expect(answer.body.errors[0].field).toBe(field)
  })
})

describe('my picture', () => {
  it('a profile picture must be an own upload, is claimed once, and can be removed', async () => {
    const { token, userId } = await users.person()
    const fileId = crypto.randomUUID()
    const profile_image_url = `/api/pictures/${fileId}`
    const claims = () => asked.filter(({ url }) => url === `/files/${fileId}/claim-picture`)
    for (const picture of [{ profile_image_file_id: fileId }, { profile_image_url }])
      expect((await update(token, picture)).body.profile_image_url).toBe(profile_image_url)
    expect(claims()).toEqual([expect.objectContaining({ authorization: `Bearer ${token}` })])
    await events.waitFor(
      userUpdated,
      (event) => event.user_id === userId && event.profile_image_url === profile_image_url,
    )
    expect((await update(token, { profile_image_file_id: null })).body.profile_image_url).toBe(null)
  })

  it.each(['FILE_NOT_FOUND', 'FILE_NOT_READY', 'FILE_KIND_MISMATCH'] as const)(
    'a profile picture stays unchanged when media-service returns %s for another one, and the response has the reason',
    async (code) => {
      const { token } = await users.person()
      const fileId = crypto.randomUUID()
      refusals.set(fileId, code)
      const refused = await update(token, { status_message: 'new', profile_image_file_id: fileId })
      expect(refused.body).toMatchObject({ code, detail: `detail of ${code}` })
      expect((await users.call('GET', '/profile/me', { token })).body).toMatchObject({
        status_message: null,
        profile_image_url: null,
      })
    },
  )

  it('a profile picture gets 503 during an outage of media-service, while other fields can be changed', async () => {
    const alone = await world.build()
    const { token } = await users.person()
    const put = (body: object) => alone.call('PUT', '/profile/me', { token, body })
    const refused = await put({ profile_image_file_id: crypto.randomUUID() })
    expect(refused.status).toBe(503)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    await waitFor(async () => (await put({ status_message: 'new' })).status === 200)
  })
})

describe('the migration of pictures', () => {
  it('the migration of pictures clears URLs of other servers and keeps pictures that were uploaded here', async () => {
    const file = readFileSync(new URL('../../../migrations/0061_own_pictures.sql', import.meta.url), 'utf8')
    const [up] = file.split('-- migrate:down')
    const ours = pictureUrlOf(crypto.randomUUID())
    const cases = [
      ['https://cdn.example.com/a.webp', null],
      [`https://chat.example${ours}`, ours],
      [ours, ours],
    ] as const
    for (const [before, after] of cases) {
      const { token, userId } = await users.person()
      await world.mysql.query('UPDATE users SET profile_image_url = ? WHERE id = ?', [before, userId])
      await world.mysql.query(up!)
      const { body } = await users.call('GET', '/profile/me', { token })
      expect(body.profile_image_url).toBe(after)
    }
  })
})

describe('my settings', () => {
  it('settings default to visible presence and a hidden address, and change individually', async () => {
    const { token } = await users.person({ locale: 'en' })
    const url = '/profile/me/settings'
    const first = await users.call('GET', url, { token })
    expect(first.body).toEqual({
      presence_visibility: 'everyone',
      findable_by_name: true,
      findable_by_email: false,
      locale: 'en',
    })
    const body = { presence_visibility: 'nobody' }
    const changed = await users.call('PUT', url, { token, body })
    expect(changed.body).toEqual({ ...first.body, ...body })
    expect((await users.call('PUT', url, { token, body: { presence_visibility: 'some' } })).status).toBe(422)
  })

  it('a change of presence visibility is published, so that other services drop cached presence', async () => {
    const { token, userId } = await users.person()
    const body = { presence_visibility: 'nobody' }
    await users.call('PUT', '/profile/me/settings', { token, body })
    await events.waitFor(userUpdated, ({ user_id }) => user_id === userId)
  })

  it('a change of settings publishes the language for services that send mails', async () => {
    const { token, userId } = await users.person({ locale: 'ko' })
    await users.call('PUT', '/profile/me/settings', { token, body: { locale: 'en-US' } })
    const event = await events.waitFor(userUpdated, ({ user_id }) => user_id === userId)
    expect(event.locale).toBe('en-US')
  })
})

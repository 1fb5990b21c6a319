import { storedFileExample, userRegistered, userUpdated } from '@bigtech/contracts'
import {
  type EventCollector,
  startHttpServer,
  type TestHttpServer,
  uniqueName,
  waitFor,
} from '@bigtech/testkit'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { PASSWORD, type TestService, type TestWorld, testWorld } from '../../../testing/harness.ts'

let world: TestWorld
let users: TestService
let events: EventCollector
let neighbor: TestHttpServer
let isDown = false
let asked: { call: string; sub: string; body: string }[] = []
const fileId = crypto.randomUUID()
const PATIENCE_MS = 30_000
const file = { ...storedFileExample, file_id: fileId, purpose: 'avatar', state: 'ready', refusal: null }

beforeAll(async () => {
  world = await testWorld()
  neighbor = await startHttpServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString('latin1')
    const [, claims = ''] = (request.headers.authorization ?? '').split('.')
    const call = `${request.method} ${request.url?.split('?')[0]}`
    asked.push({ call, body, sub: JSON.parse(Buffer.from(claims, 'base64url').toString()).sub })
    const status = isDown ? 503 : call === 'POST /files' ? 201 : call.endsWith('claim-picture') ? 204 : 200
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(status === 204 ? '' : request.method === 'PUT' ? body : JSON.stringify(file))
  })
  const { url } = neighbor
  users = await world.build({ NOTIFICATION_SERVICE_URL: url, MEDIA_SERVICE_URL: url })
  events = await world.events()
})
afterAll(async () => {
  await world?.close()
  await neighbor?.close()
})
beforeEach(() => {
  isDown = false
  asked = []
})

const preferences = {
  message_push: true,
  friend_request_push: false,
  mentions_when_muted: true,
  show_preview: false,
  quiet_hours: null,
}
const picture = { mime: 'image/png', data: Buffer.from('the bytes of a picture').toString('base64') }
async function start(fields: Record<string, unknown> = {}, ip?: string) {
  const username = uniqueName('g')
  const body = { email: `${username}@example.com`, username, password: PASSWORD, ...fields }
  for (;;) {
    const answer = await users.call('POST', '/auth/registrations', { body, ...(ip ? { ip } : {}) })
    // The machine is busy: the service asks to come again.
    if (answer.status !== 503) return answer
  }
}
const read = async (id: string) => (await users.call('GET', `/auth/registrations/${id}`)).body
const ended = (id: string) =>
  waitFor(
    async () => {
      const body = await read(id)
      return body.state !== 'running' && body
    },
    { timeoutMs: PATIENCE_MS, what: 'the registration to end' },
  )

it('POST /auth/registrations makes an account with picture and preferences, announced when it is complete', async () => {
  isDown = true
  const email = `${uniqueName('g')}@example.com`
  const started = await start({ email, picture, notification_preferences: preferences })
  expect(started.status, started.text).toBe(202)
  expect(started.body).toMatchObject({ state: 'running', user_id: null, failure: null })
  expect(started.body.steps.map(({ step, state }: { step: string; state: string }) => [step, state])).toEqual(
    [
      ['reserve', 'done'],
      ['picture', 'pending'],
      ['settings', 'pending'],
      ['activate', 'pending'],
    ],
  )
  await waitFor(() => asked.length > 0)
  expect((await users.login(email)).body.code).toBe('CREDENTIALS_INVALID')
  expect((await users.register({ email })).body.code).toBe('EMAIL_TAKEN')
  expect((await start({ email })).body.code).toBe('EMAIL_TAKEN')

  isDown = false
  const { user_id, state, steps } = await ended(started.body.registration_id)
  expect(state).toBe('completed')
  expect(steps.map((step: { state: string }) => step.state)).toEqual(['done', 'done', 'done', 'done'])
  const upload = asked.findLast(({ call }) => call === 'POST /files')!
  expect(upload.body).toContain('the bytes of a picture')
  expect(upload.body.indexOf('avatar')).toBeLessThan(upload.body.indexOf('picture.png'))
  expect(new Set(asked.map(({ sub }) => sub))).toEqual(new Set([String(user_id)]))
  expect(JSON.parse(asked.find(({ call }) => call === 'PUT /notifications/preferences')!.body)).toEqual(
    preferences,
  )
  const { body: tokens } = await users.login(email)
  const me = await users.call('GET', '/profile/me', { token: tokens.access_token })
  expect(me.body.profile_image_url).toBe(`/api/pictures/${fileId}`)
  const registered = await events.waitFor(userRegistered, (event) => event.user_id === user_id)
  const updated = await events.waitFor(userUpdated, (event) => event.user_id === user_id)
  expect(updated.profile_image_url).toBe(`/api/pictures/${fileId}`)
  expect(updated.profile_version).toBe(registered.profile_version! + 1)
}, 60_000)

it('of 20 registrations of one address in parallel one gets it', async () => {
  const email = `${uniqueName('g')}@example.com`
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => start({ email }, `10.9.0.${index}`)),
  )
  const codes = answers.map(({ status, body }) => (status === 202 ? 'started' : body.code))
  expect(codes.toSorted()).toEqual([...Array(19).fill('EMAIL_TAKEN'), 'started'])
})

it('a registration refuses a picture that is too large or no base64, and names the field', async () => {
  for (const data of ['A'.repeat(240_004), 'no base64!', '']) {
    const answer = await start({ picture: { ...picture, data } })
    expect([answer.status, answer.body.errors[0].field]).toEqual([422, 'picture.data'])
  }
})

it('an unknown registration returns 404', async () => {
  const answer = await users.call('GET', `/auth/registrations/${crypto.randomUUID()}`)
  expect([answer.status, answer.body.code]).toEqual([404, 'REGISTRATION_NOT_FOUND'])
})

it('deleting the account deletes its registration', async () => {
  const email = `${uniqueName('g')}@example.com`
  const { body } = await start({ email })
  await ended(body.registration_id)
  const { body: tokens } = await users.login(email)
  const removed = { token: tokens.access_token, body: { password: PASSWORD } }
  expect((await users.call('DELETE', '/profile/me', removed)).status).toBe(202)
  await waitFor(async () => (await read(body.registration_id)).code === 'REGISTRATION_NOT_FOUND', {
    timeoutMs: PATIENCE_MS,
  })
})

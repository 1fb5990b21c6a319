import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestService, type TestWorld, testWorld } from '../../../testing/harness.ts'

let world: TestWorld
let users: TestService

beforeAll(async () => {
  world = await testWorld()
  users = await world.build()
})
afterAll(() => world.close())

const linksOf = (userId: number, purpose = 'end_session') =>
  world.mysql.query<{ id: string; session_id: string }>(
    'SELECT id, session_id FROM account_links WHERE user_id = ? AND purpose = ? ORDER BY created_at',
    [userId, purpose],
  )
const mailOf = async (id: string) => (await users.call('POST', `/internal/account-links/${id}`)).body
const report = (token: string) => users.call('POST', '/auth/sessions/report', { body: { token } })
const chrome = {
  'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36',
}

it('a sign-in from a new device sends a mail, except for the first sign-in and known devices', async () => {
  const person = await users.person()
  expect(await linksOf(person.userId)).toEqual([])
  const deviceToken = person.tokens.device_token!
  expect((await users.login(person.email, undefined, { deviceToken })).status).toBe(200)
  expect(await linksOf(person.userId)).toEqual([])
  const stranger = (await users.login(person.email, undefined, { headers: chrome })).body
  const [link] = await linksOf(person.userId)
  expect(link!.session_id).toBe(stranger.session_id)
  const mail = await mailOf(link!.id)
  expect(mail).toMatchObject({ purpose: 'end_session', email: person.email })
  expect(mail.sign_in).toMatchObject({ device: 'Chrome on Windows', ip_prefix: '127.0.0.0/24' })
})

it('the mail about a new device contains no text from the client', async () => {
  const person = await users.person()
  await users.login(person.email, undefined, { headers: { 'user-agent': 'Visit evil.example/1.0' } })
  const [link] = await linksOf(person.userId)
  expect((await mailOf(link!.id)).sign_in.device).toBeNull()
})

it('the link in the mail about a new device ends only that session, works once of 20 uses, sends a password reset link, and resets the trusted devices', async () => {
  const person = await users.person()
  const thief = (await users.login(person.email)).body
  const [link] = await linksOf(person.userId)
  const { token } = await mailOf(link!.id)
  const answers = await Promise.all(Array.from({ length: 20 }, () => report(token)))
  expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array(19).fill(400)])
  const me = (bearer: string) => users.call('GET', '/profile/me', { token: bearer })
  expect((await me(thief.access_token)).body.code).toBe('SESSION_REVOKED')
  expect((await users.refresh(thief.refresh_token)).status).toBe(401)
  expect((await me(person.token)).status).toBe(200)
  const [reset] = await waitFor(async () => {
    const rows = await linksOf(person.userId, 'reset_password')
    return rows.length > 0 && rows
  })
  expect((await mailOf(reset!.id)).purpose).toBe('reset_password')
  // The attacker's device is unknown again: its next sign-in is mailed as well.
  await users.login(person.email, undefined, { deviceToken: thief.device_token })
  expect(await linksOf(person.userId)).toHaveLength(2)
})

it('sign-ins from new devices send at most 5 mails an hour and are not blocked', async () => {
  const person = await users.person()
  for (let n = 0; n < 6; n++) expect((await users.login(person.email)).status).toBe(200)
  // The first sign-in counted as well.
  expect((await linksOf(person.userId)).length).toBe(4)
})

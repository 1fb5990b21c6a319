import { accountMailRequested, userUpdated } from '@bigtech/contracts'
import { type EventCollector, uniqueName, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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

beforeAll(async () => {
  world = await testWorld()
  users = await world.build()
  events = await world.events()
})
afterAll(() => world.close())

const post = (path: string, body: unknown, token?: string) =>
  users.call('POST', path, { body, ...(token ? { token } : {}) })
const me = async ({ token }: Person) => (await users.call('GET', '/profile/me', { token })).body

/** Returns the content of the newest mail of this kind, fetched like notification-service does. */
async function mailOf(userId: number, purpose: string): Promise<{ email: string; token: string }> {
  const [link] = await waitFor(
    async () => {
      const rows = await world.mysql.query<{ id: string }>(
        'SELECT id FROM account_links WHERE user_id = ? AND purpose = ? AND used_at IS NULL ORDER BY created_at DESC',
        [userId, purpose],
      )
      return rows.length > 0 && rows
    },
    { what: `a link to ${purpose}` },
  )
  const { body, status, text } = await post(`/internal/account-links/${link!.id}`, undefined)
  expect(status, text).toBe(200)
  expect(body.purpose).toBe(purpose)
  return body
}

/** Uses the same link twenty times concurrently and returns the number of successes. */
async function useTwentyTimes(path: string, body: unknown): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(path, body)))
  return answers.map(({ status }) => status).sort()
}
const once = [204, ...Array(19).fill(400)]

describe('verifying an address', () => {
  it('registration requests verification of the address, and the link completes it once', async () => {
    const person = await users.person()
    expect((await me(person)).email_verified).toBe(false)
    const event = await events.waitFor(accountMailRequested, ({ user_id }) => user_id === person.userId)
    expect(event.purpose).toBe('verify_email')
    const { email, token } = await mailOf(person.userId, 'verify_email')
    expect(email).toBe(person.email)
    expect(await useTwentyTimes('/auth/email/confirm', { token })).toEqual(once)
    expect((await me(person)).email_verified).toBe(true)
    // Already verified.
    expect((await post('/auth/email/verification', undefined, person.token)).status).toBe(202)
    const links = await world.mysql.query(
      'SELECT 1 FROM account_links WHERE user_id = ? AND used_at IS NULL',
      [person.userId],
    )
    expect(links).toEqual([])
  })

  it('verifying an address stores no token in any table or event', async () => {
    const person = await users.person()
    const { token } = await mailOf(person.userId, 'verify_email')
    await events.waitFor(accountMailRequested, ({ user_id }) => user_id === person.userId)
    const rows = await world.mysql.query('SELECT * FROM account_links WHERE user_id = ?', [person.userId])
    const signature = token.split('.').at(-1)!
    expect(JSON.stringify([rows, events.events])).not.toContain(signature)
  })

  it('verification can be requested three times an hour, and a newer link replaces the older one', async () => {
    const person = await users.person()
    const first = await mailOf(person.userId, 'verify_email')
    for (let n = 0; n < 3; n++) {
      expect((await post('/auth/email/verification', undefined, person.token)).status).toBe(202)
    }
    expect((await post('/auth/email/verification', undefined, person.token)).body.code).toBe('RATE_LIMITED')
    expect((await post('/auth/email/confirm', { token: first.token })).body.code).toBe('LINK_INVALID')
    const { token } = await mailOf(person.userId, 'verify_email')
    expect((await post('/auth/email/confirm', { token })).status).toBe(204)
  })

  it('verification rejects expired links, links of another kind, forged links, and access tokens', async () => {
    const person = await users.person()
    const { token } = await mailOf(person.userId, 'verify_email')
    const refused = async (path: string, body: object) =>
      expect((await post(path, body)).body.code).toBe('LINK_INVALID')
    await refused('/auth/password/reset', { token, new_password: 'Better5678#$' })
    await refused('/auth/email/undo', { token })
    await refused('/auth/email/confirm', { token: `${token.slice(0, -4)}AAAA` })
    await refused('/auth/email/confirm', { token: person.token })
    await world.mysql.query('UPDATE account_links SET expires_at = UTC_TIMESTAMP(3) WHERE user_id = ?', [
      person.userId,
    ])
    await refused('/auth/email/confirm', { token })
    expect((await me(person)).email_verified).toBe(false)
  })
})

describe('a forgotten password', () => {
  it('the link of a password reset sets a password once and ends every session', async () => {
    const person = await users.person()
    expect((await post('/auth/password/forgot', { email: person.email.toUpperCase() })).status).toBe(202)
    const { token } = await mailOf(person.userId, 'reset_password')
    const body = { token, new_password: 'Better5678#$' }
    expect(await useTwentyTimes('/auth/password/reset', body)).toEqual(once)
    expect((await users.call('GET', '/profile/me', { token: person.token })).body.code).toBe(
      'SESSION_REVOKED',
    )
    expect((await users.refresh(person.tokens.refresh_token)).status).toBe(401)
    expect((await users.login(person.email)).status).toBe(401)
    expect((await users.login(person.email, 'Better5678#$')).status).toBe(200)
  })

  it('a password reset gets the same response for an unknown address', async () => {
    const person = await users.person()
    const known = await post('/auth/password/forgot', { email: person.email })
    const unknown = await post('/auth/password/forgot', { email: `${uniqueName('x')}@example.com` })
    const shown = ({ status, text, headers }: typeof known) => ({
      status,
      text,
      type: headers['content-type'],
    })
    expect(shown(unknown)).toEqual(shown(known))
    for (const email of [person.email, `${uniqueName('y')}@example.com`]) {
      const answers = []
      for (let n = 0; n < 4; n++) answers.push((await post('/auth/password/forgot', { email })).status)
      expect(answers.at(-1)).toBe(429)
    }
  })

  it("no operation accepts a common password, and neither reset nor change accepts the user's name or address", async () => {
    const person = await users.person()
    await post('/auth/password/forgot', { email: person.email })
    const { token } = await mailOf(person.userId, 'reset_password')
    for (const weak of ['password1', person.username, person.email]) {
      const reset = await post('/auth/password/reset', { token, new_password: weak })
      expect(reset.status, weak).toBe(422)
      expect(reset.body.errors[0].field).toBe('new_password')
      const body = { current_password: PASSWORD, new_password: weak }
      expect((await users.call('PUT', '/auth/password', { token: person.token, body })).status).toBe(422)
    }
    const registered = await users.register({ password: 'qwerty123' })
    expect(registered.body.errors[0].field).toBe('password')
    expect((await post('/auth/password/reset', { token, new_password: 'Better5678#$' })).status).toBe(204)
  })
})

describe('changing the address', () => {
  const change = (person: Person, email: string, password = PASSWORD) =>
    users.call('PUT', '/auth/email', { token: person.token, body: { email, password } })

  it('changing the address requires the password, takes effect by the link to the new address, and is published', async () => {
    const person = await users.person()
    const email = `${uniqueName('new')}@example.com`
    expect((await change(person, email, 'Wrong1234!')).body.code).toBe('PASSWORD_WRONG')
    expect((await change(person, email)).status).toBe(202)
    expect((await me(person)).email).toBe(person.email)
    const mail = await mailOf(person.userId, 'change_email')
    expect(mail.email).toBe(email)
    expect(await useTwentyTimes('/auth/email/confirm', { token: mail.token })).toEqual(once)
    expect(await me(person)).toMatchObject({ email, email_verified: true })
    await events.waitFor(userUpdated, (event) => event.user_id === person.userId && event.email === email)
    expect((await users.login(person.email)).status).toBe(401)
    expect((await users.login(email)).status).toBe(200)
  })

  it('a changed address can be undone from the old address for 7 days, during which the old address is reserved', async () => {
    const person = await users.person()
    await change(person, `${uniqueName('thief')}@example.com`)
    await post('/auth/email/confirm', { token: (await mailOf(person.userId, 'change_email')).token })
    expect((await users.register({ email: person.email })).body.code).toBe('EMAIL_TAKEN')
    const undo = await mailOf(person.userId, 'undo_email')
    expect(undo.email).toBe(person.email)
    expect(await useTwentyTimes('/auth/email/undo', { token: undo.token })).toEqual(once)
    expect((await users.call('GET', '/profile/me', { token: person.token })).body.code).toBe(
      'SESSION_REVOKED',
    )
    expect((await users.login(person.email)).status).toBe(200)
  })

  it('changing the address does not reveal whether an address belongs to an account', async () => {
    const [person, other] = [await users.person(), await users.person()]
    expect((await change(person, other.email)).status).toBe(202)
    const { token } = await mailOf(person.userId, 'change_email')
    expect((await post('/auth/email/confirm', { token })).body.code).toBe('EMAIL_TAKEN')
    expect((await me(person)).email).toBe(person.email)
  })
})

describe('changing the username', () => {
  const change = (person: Person, username: string) =>
    users.call('PUT', '/profile/me/username', { token: person.token, body: { username } })

  it('changing the username works once in 30 days and reserves the old name for 90 days', async () => {
    const [person, other] = [await users.person(), await users.person()]
    const username = uniqueName('n')
    const changed = await change(person, username)
    expect(changed.body.username, changed.text).toBe(username)
    await events.waitFor(
      userUpdated,
      (event) => event.user_id === person.userId && event.username === username,
    )
    const again = await change(person, uniqueName('n'))
    expect(again.body.code).toBe('USERNAME_CHANGE_LIMIT')
    expect(Number(again.headers['retry-after'])).toBeGreaterThan(29 * 86_400)
    expect((await users.register({ username: person.username })).body.code).toBe('USERNAME_TAKEN')
    expect((await change(other, person.username)).body.code).toBe('USERNAME_TAKEN')
    expect((await change(other, username)).body.code).toBe('USERNAME_TAKEN')
    expect((await users.login(username)).status).toBe(200)
    await world.mysql.query('UPDATE users SET username_changed_at = NULL WHERE id = ?', [person.userId])
    expect((await change(person, person.username)).status).toBe(200)
    expect((await change(other, username)).body.code).toBe('USERNAME_TAKEN')
  })

  it('changing the username gives a name to exactly one of 10 concurrent requests', async () => {
    const people = await Promise.all(Array.from({ length: 10 }, () => users.person()))
    const username = uniqueName('race')
    const answers = await Promise.all(people.map((person) => change(person, username)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(400)])
  })
})

import { userRegistered } from '@bigtech/contracts'
import { describeConformance, uniqueName, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, type TestService, type TestWorld, testWorld } from '../../../testing/harness.ts'

let world: TestWorld
let users: TestService

beforeAll(async () => {
  world = await testWorld()
  users = await world.build()
})
afterAll(() => world.close())

describeConformance({ title: 'User Service', service: () => users.service })

describe('the quick start', () => {
  it('registration and sign-in respond exactly as documented', async () => {
    const registered = await users.call('POST', '/auth/register', {
      body: {
        email: 'test@example.com',
        username: 'testuser',
        password: 'Test1234!@',
        display_name: '테스트 유저',
      },
    })
    expect(registered.status).toBe(201)
    expect(registered.body).toMatchObject({
      id: expect.any(Number),
      email: 'test@example.com',
      username: 'testuser',
      display_name: '테스트 유저',
    })
    const signedIn = await users.login('test@example.com', 'Test1234!@')
    expect(signedIn.status).toBe(200)
    expect(signedIn.body).toMatchObject({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 600,
      refresh_token: expect.any(String),
    })
    const profile = await users.call('GET', '/profile/me', { token: signedIn.body.access_token })
    expect(profile.body).toMatchObject({ user_id: registered.body.id, display_name: '테스트 유저' })
  })

  it('sign-in accepts the OAuth2 password form with the email or the username', async () => {
    const { email, username } = await users.person()
    for (const name of [email, username.toUpperCase()]) {
      const answer = await users.call('POST', '/auth/login', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          grant_type: 'password',
          scope: '',
          username: name,
          password: PASSWORD,
        }).toString(),
      })
      expect(answer.status, answer.text).toBe(200)
      expect(answer.body.token_type).toBe('bearer')
    }
  })

  it('registration publishes UserRegistered once with the data for the welcome mail', async () => {
    const events = await world.events()
    const { body } = await users.register({ display_name: '김민지', locale: 'en' })
    const event = await events.waitFor(userRegistered, ({ user_id }) => user_id === body.id)
    expect(event).toMatchObject({ email: body.email, display_name: '김민지', locale: 'en' })
    expect(JSON.stringify(events.events)).not.toMatch(/\$2[aby]\$|password/)
  })
})

describe('registration', () => {
  it.each([
    ['an address in another case', { email: (email: string) => email.toUpperCase() }, 'EMAIL_TAKEN'],
    ['a username in another case', { username: (name: string) => name.toUpperCase() }, 'USERNAME_TAKEN'],
  ] as const)('registration rejects %s with 400 and its code', async (_case, change, code) => {
    const first = (await users.register()).body
    const fields =
      'email' in change ? { email: change.email(first.email) } : { username: change.username(first.username) }
    const second = await users.register(fields)
    expect(second.status).toBe(400)
    expect(second.body.code).toBe(code)
  })

  it.each([
    [
      'Cyrillic letters',
      (name: string) => `\u0441\u0430\u0440\u0440\u0430${name}`,
      (name: string) => `cappa${name}`,
    ],
    ['fullwidth letters', (name: string) => `mina${name}`, (name: string) => `ｍｉｎａ${name}`],
    ['a digit for a letter', (name: string) => `lol${name}`, (name: string) => `1o1${name}`],
  ])('registration rejects a username that looks like an existing one: %s', async (_case, first, second) => {
    const digits = String(Date.now()).slice(-9).replaceAll(/[01]/g, '7')
    expect((await users.register({ username: first(digits) })).status).toBe(201)
    expect((await users.register({ username: second(digits) })).body.code).toBe('USERNAME_TAKEN')
  })

  it('registration admits one of 10 lookalike usernames submitted concurrently', async () => {
    const digits = String(Date.now()).slice(-9).replaceAll(/[01]/g, '7')
    const names = Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? `lola${digits}` : `1o1a${digits}`))
    const answers = await Promise.all(names.map((username) => users.register({ username })))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ body }) => body.code === 'USERNAME_TAKEN')).toHaveLength(9)
  })

  it.each(['admin', 'A.d.m.i.n', 'deleted_1', '관리자'])(
    'registration rejects the reserved username %s',
    async (username) => {
      expect((await users.register({ username })).body.code).toBe('USERNAME_TAKEN')
    },
  )

  it('registration treats composed and decomposed Hangul as the same username', async () => {
    const username = `한글${uniqueName()}`
    expect((await users.register({ username: username.normalize('NFD') })).body.username).toBe(username)
    expect((await users.register({ username })).body.code).toBe('USERNAME_TAKEN')
  })

  it.each(['email', 'username'] as const)(
    'registration admits exactly one of 20 concurrent sign-ups with the same %s',
    async (field) => {
      const name = uniqueName('race')
      const value = field === 'email' ? `${name}@example.com` : name
      const answers = await Promise.all(Array.from({ length: 20 }, () => users.register({ [field]: value })))
      expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(400)])
      const codes = new Set(answers.filter(({ status }) => status === 400).map(({ body }) => body.code))
      expect([...codes]).toEqual([field === 'email' ? 'EMAIL_TAKEN' : 'USERNAME_TAKEN'])
    },
  )

  it.each([
    ['a password of 73 bytes', { password: 'x'.repeat(73) }, 'password'],
    ['a password of 73 bytes in 25 characters', { password: `${'가'.repeat(24)}a` }, 'password'],
    ['a username of invisible letters', { username: '\u3164\u3164\u3164' }, 'username'],
    ['a username with an invisible letter', { username: `mina\uFE0F` }, 'username'],
    ['an invisible display name', { display_name: '\u200B\u3164\u2060' }, 'display_name'],
    ['a password of 7 characters', { password: 'Abc123!' }, 'password'],
    ['a password with a NUL', { password: 'Test1234\0!@' }, 'password'],
    ['an address without a domain', { email: 'nobody' }, 'email'],
    ['a username of 2 characters', { username: 'ab' }, 'username'],
    ['a username of 21 characters', { username: 'a'.repeat(21) }, 'username'],
    ['a username with a space', { username: 'a b c' }, 'username'],
    ['a username of two scripts', { username: '\u0430dmin2' }, 'username'],
    ['a username of punctuation only', { username: '...' }, 'username'],
    ['a display name that reverses the text', { display_name: 'abc\u202Edef' }, 'display_name'],
    ['an unknown field', { is_admin: true }, 'is_admin'],
  ])('registration rejects %s with 422 and names the field', async (_case, fields, field) => {
    const answer = await users.register(fields)
    expect(answer.status).toBe(422)
    expect(answer.body.errors[0].field).toBe(field)
  })

  it('registration accepts a password of 72 bytes, and sign-in compares all of them', async () => {
    const password = 'x'.repeat(72)
    const { body } = await users.register({ password })
    expect((await users.login(body.email, password)).status).toBe(200)
    expect((await users.login(body.email, `${password}x`)).body.code).toBe('CREDENTIALS_INVALID')
    expect((await users.login(body.email, password.slice(1))).body.code).toBe('CREDENTIALS_INVALID')
  })

  it('registration accepts names whose search terms differ only in a trailing space', async () => {
    const username = '각각각각각각각각각가'
    const answer = await users.register({ username, display_name: `${username} 하하` })
    expect(answer.status, answer.text).toBe(201)
  })

  it.each(['a.b', 'user_1', '테스트', 'ユーザー', 'Ünïcode'])(
    'registration accepts the username %s',
    async (name) => {
      const username = `${name}${uniqueName().slice(0, 8)}`
      const answer = await users.register({ username })
      expect(answer.status, answer.text).toBe(201)
      expect(answer.body.username).toBe(username)
    },
  )

  it('registration is rate-limited per IP address and returns the time until the next attempt', async () => {
    const limited = await world.build({ REGISTRATIONS_PER_HOUR: '2' }, { started: false })
    const ip = '198.51.100.7'
    expect((await limited.register({}, { ip })).status).toBe(201)
    expect((await limited.register({}, { ip })).status).toBe(201)
    const third = await limited.register({}, { ip })
    expect(third.body.code).toBe('RATE_LIMITED')
    expect(Number(third.headers['retry-after'])).toBeGreaterThan(3_000)
    expect((await limited.register({}, { ip: '198.51.100.8' })).status).toBe(201)
  })

  it('registration and sign-in never return a hash or a password', async () => {
    const person = await users.person()
    const answers = await Promise.all([
      users.register({ email: person.email }),
      users.login(person.email),
      users.call('GET', '/profile/me', { token: person.token }),
      users.call('GET', `/users/${person.userId}`, { token: person.token }),
      users.call('GET', '/auth/sessions', { token: person.token }),
      users.call('GET', '/metrics'),
    ])
    for (const { text } of answers) expect(text).not.toMatch(/\$2[aby]\$|password_hash"|Test1234/)
  })
})

describe('changing the password', () => {
  it('changing the password ends every other session and invalidates the old password immediately', async () => {
    const person = await users.person()
    const other = (await users.login(person.email)).body
    const changed = await users.call('PUT', '/auth/password', {
      token: person.token,
      body: { current_password: PASSWORD, new_password: 'Better5678#$' },
    })
    expect(changed.status).toBe(204)
    expect((await users.call('GET', '/profile/me', { token: person.token })).status).toBe(200)
    const refused = await users.call('GET', '/profile/me', { token: other.access_token })
    expect(refused.body.code).toBe('SESSION_REVOKED')
    expect((await users.refresh(other.refresh_token)).body.code).toBe('REFRESH_TOKEN_INVALID')
    expect((await users.login(person.email)).body.code).toBe('CREDENTIALS_INVALID')
    expect((await users.login(person.email, 'Better5678#$')).status).toBe(200)
  })

  it('changing the password requires the current password and limits attempts to guess it', async () => {
    const { token } = await users.person()
    const attempt = () =>
      users.call('PUT', '/auth/password', {
        token,
        body: { current_password: 'Wrong1234!', new_password: 'Better5678#$' },
      })
    for (let tries = 0; tries < 10; tries++) expect((await attempt()).body.code).toBe('PASSWORD_WRONG')
    expect((await attempt()).body.code).toBe('RATE_LIMITED')
  })

  it('changing the password ends sessions of sign-ins in flight with the old password', async () => {
    // Comparing takes long here: the password changes in the meantime.
    const slow = await world.build({ BCRYPT_COST: '12' }, { started: false })
    const { body: account } = await slow.register()
    const lookedUp = () => slow.metric(/store_request_duration_seconds_count.*operation="hasBeenIn"/)
    const before = await lookedUp()
    const signingIn = slow.login(account.email)
    await waitFor(async () => (await lookedUp()) > before, { intervalMs: 1 })
    await world.mysql.query(
      'UPDATE credentials SET password_hash = REVERSE(password_hash) WHERE user_id = ?',
      [account.id],
    )
    expect((await signingIn).body.code).toBe('CREDENTIALS_INVALID')
    expect(await world.mysql.query('SELECT 1 FROM sessions WHERE user_id = ?', [account.id])).toEqual([])
  })
})

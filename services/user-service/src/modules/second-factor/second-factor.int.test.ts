import { generateSync } from 'otplib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ORIGIN,
  PASSWORD,
  type Person,
  type TestService,
  type TestWorld,
  testWorld,
} from '../../../testing/harness.ts'
import { SoftwareAuthenticator } from '../../../testing/software-authenticator.ts'

let world: TestWorld
let users: TestService
/** A manual clock: a code works once, and the next one is valid 30 s later. */
let clock = Date.now()

beforeAll(async () => {
  world = await testWorld()
  users = await world.build({}, { now: () => new Date(clock) })
})
afterAll(() => world.close())

const post = (path: string, body: unknown, token?: string) =>
  users.call('POST', path, { body, ...(token ? { token } : {}) })

/** Returns the app's next code, never a previous one. */
function nextCode(secret: string): string {
  clock += 30_000
  return codeNow(secret)
}
const codeNow = (secret: string) => generateSync({ secret, epoch: Math.floor(clock / 1_000) })

async function withApp(): Promise<Person & { secret: string; recoveryCodes: string[] }> {
  const person = await users.person()
  const { secret, uri } = (await post('/auth/totp', { password: PASSWORD }, person.token)).body
  expect(uri).toContain(`secret=${secret}`)
  const confirmed = await post('/auth/totp/confirm', { code: nextCode(secret) }, person.token)
  expect(confirmed.status, confirmed.text).toBe(200)
  return { ...person, secret, recoveryCodes: confirmed.body.recovery_codes }
}

async function challengeOf(person: Person): Promise<string> {
  const { status, body } = await users.login(person.email)
  expect([status, body.code]).toEqual([403, 'SECOND_FACTOR_REQUIRED'])
  expect(body.access_token).toBeUndefined()
  return body.challenge.token
}
const complete = (challenge_token: string, code: string) =>
  post('/auth/login/second-factor', { challenge_token, code })
const statuses = (answers: readonly { status: number }[]) => answers.map(({ status }) => status).sort()

describe('a sign-in to an account with an authenticator app', () => {
  it('sign-in with an authenticator app requires both the password and a code', async () => {
    const person = await withApp()
    const challenge = await challengeOf(person)
    expect((await users.login(person.email, 'Wrong1234!')).body.code).toBe('CREDENTIALS_INVALID')
    expect((await complete(challenge, '000000')).body.code).toBe('SECOND_FACTOR_WRONG')
    const tokens = await complete(challenge, nextCode(person.secret))
    expect(tokens.status, tokens.text).toBe(200)
    const { access_token: token } = tokens.body
    expect((await users.call('GET', '/profile/me', { token })).status).toBe(200)
    expect((await complete(challenge, nextCode(person.secret))).body.code).toBe('CHALLENGE_INVALID')
  })

  it('sign-in opens one session for 20 concurrent uses of one code, and none for a used code', async () => {
    const person = await withApp()
    const challenges: string[] = []
    for (let n = 0; n < 20; n++) challenges.push(await challengeOf(person))
    const code = nextCode(person.secret)
    const answers = await Promise.all(challenges.map((challenge) => complete(challenge, code)))
    expect(statuses(answers)).toEqual([200, ...Array(9).fill(403), ...Array(10).fill(429)])
  })

  it('sign-in opens one session for 10 different codes of one challenge', async () => {
    const person = await withApp()
    const challenge = await challengeOf(person)
    const answers = await Promise.all(person.recoveryCodes.map((code) => complete(challenge, code)))
    expect(statuses(answers)).toEqual([200, ...Array(9).fill(400)])
    const [{ used }] = (await world.mysql.query<{ used: number }>(
      'SELECT COUNT(*) AS used FROM recovery_codes WHERE user_id = ? AND used_at IS NOT NULL',
      [person.userId],
    )) as [{ used: number }]
    expect(Number(used)).toBe(1)
  })

  it('sign-in accepts a recovery code once in any spelling', async () => {
    const person = await withApp()
    const [code = ''] = person.recoveryCodes
    const typed = code.replace('-', ' ').toUpperCase()
    expect((await complete(await challengeOf(person), typed)).status).toBe(200)
    expect((await complete(await challengeOf(person), code)).body.code).toBe('SECOND_FACTOR_WRONG')
  })

  it('sign-in is limited to 10 wrong codes an hour, except on a device that has signed in before', async () => {
    const person = await withApp()
    const known = (await complete(await challengeOf(person), nextCode(person.secret))).body.device_token
    const challenge = await challengeOf(person)
    const guesses = await Promise.all(Array.from({ length: 11 }, () => complete(challenge, '000000')))
    expect(statuses(guesses).at(-1)).toBe(429)
    const code = nextCode(person.secret)
    expect((await complete(challenge, code)).body.code).toBe('RATE_LIMITED')
    const body = { challenge_token: challenge, code, device_token: known }
    expect((await post('/auth/login/second-factor', body)).status).toBe(200)
  })

  it('a challenge is invalidated when the password changes', async () => {
    const person = await withApp()
    const challenge = await challengeOf(person)
    const body = { current_password: PASSWORD, new_password: 'Better5678#$' }
    expect((await users.call('PUT', '/auth/password', { token: person.token, body })).status).toBe(204)
    expect((await complete(challenge, nextCode(person.secret))).body.code).toBe('CHALLENGE_INVALID')
  })
})

describe('what an account with an authenticator app', () => {
  it('an account with an app requires a code from older sessions for deletion, change of address, and turning the app off', async () => {
    const person = await withApp()
    const { token } = person
    const email = `moved-${person.email}`
    const guarded = [
      ['DELETE', '/profile/me', {}],
      ['PUT', '/auth/email', { email }],
      ['DELETE', '/auth/totp', {}],
      ['POST', '/auth/recovery-codes', {}],
      ['POST', '/auth/passkeys/options', {}],
    ] as const
    for (const [method, path, fields] of guarded) {
      const call = (more: object) =>
        users.call(method, path, { token, body: { password: PASSWORD, ...fields, ...more } })
      expect((await call({})).body.code, path).toBe('SECOND_FACTOR_REQUIRED')
      expect((await call({ code: '000000' })).body.code, path).toBe('SECOND_FACTOR_WRONG')
    }
    expect((await users.call('GET', '/profile/me', { token })).body.email).toBe(person.email)
    const body = { password: PASSWORD, email, code: nextCode(person.secret) }
    expect((await users.call('PUT', '/auth/email', { token, body })).status).toBe(202)
    const again = await users.call('PUT', '/auth/email', { token, body })
    expect(again.body.code).toBe('SECOND_FACTOR_WRONG')
    const deletion = { password: PASSWORD, code: nextCode(person.secret) }
    expect((await users.call('DELETE', '/profile/me', { token, body: deletion })).status).toBe(202)
  })

  it('neither the authenticator secret nor a recovery code is stored in plain text', async () => {
    const person = await withApp()
    const rows = await Promise.all(
      ['credentials', 'recovery_codes'].map((table) =>
        world.mysql.query(`SELECT * FROM ${table} WHERE user_id = ?`, [person.userId]),
      ),
    )
    const stored = JSON.stringify(rows, (_key, value) =>
      value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value,
    )
    for (const secret of [person.secret, ...person.recoveryCodes]) {
      expect(stored).not.toContain(secret)
      expect(stored).not.toContain(secret.replace('-', ''))
    }
  })

  it('the app can be turned off with a code, after which a password alone signs in', async () => {
    const person = await withApp()
    const { token } = person
    const shown = (await users.call('GET', '/auth/second-factors', { token })).body
    expect(shown).toMatchObject({ recovery_codes_left: 10, passkeys: [] })
    expect(shown.totp_enabled_at).toMatch(/Z$/)
    expect((await post('/auth/totp', { password: PASSWORD }, token)).body.code).toBe('TOTP_ENABLED')
    const [code] = person.recoveryCodes
    const body = { password: PASSWORD, code }
    expect((await users.call('DELETE', '/auth/totp', { token, body })).status).toBe(204)
    expect((await users.login(person.email)).status).toBe(200)
  })
})

describe('a passkey', () => {
  async function withPasskey(person: Person, proof: object = { password: PASSWORD }) {
    const authenticator = new SoftwareAuthenticator(ORIGIN)
    const { challenge_token, options } = (await post('/auth/passkeys/options', proof, person.token)).body
    const credential = authenticator.create(options)
    const added = await post(
      '/auth/passkeys',
      { challenge_token, name: '내 휴대폰', credential },
      person.token,
    )
    expect(added.status, added.text).toBe(201)
    return { authenticator, passkeyId: added.body.passkey_id as string }
  }
  async function signIn(authenticator: SoftwareAuthenticator, deviations = {}) {
    const { challenge_token, options } = (await post('/auth/login/passkey/options', undefined)).body
    const credential = authenticator.get(options, deviations)
    return {
      credential,
      challenge_token,
      answer: await post('/auth/login/passkey', { challenge_token, credential }),
    }
  }

  it('a passkey signs in alone even where a password needs a code, and a captured response cannot be replayed', async () => {
    const person = await withApp()
    const { authenticator } = await withPasskey(person, { password: PASSWORD, code: nextCode(person.secret) })
    expect((await users.login(person.email)).body.challenge.methods).toEqual(['code', 'passkey'])
    const { answer, credential, challenge_token } = await signIn(authenticator)
    expect(answer.status, answer.text).toBe(200)
    expect(answer.body.user_id).toBe(person.userId)
    const replayed = await post('/auth/login/passkey', { challenge_token, credential })
    expect(replayed.body.code).toBe('CHALLENGE_INVALID')
    const fresh = (await post('/auth/login/passkey/options', undefined)).body
    const moved = await post('/auth/login/passkey', { challenge_token: fresh.challenge_token, credential })
    expect(moved.body.code).toBe('PASSKEY_REFUSED')
  })

  it('a passkey opens one session for 20 concurrent uses of one response', async () => {
    const { authenticator } = await withPasskey(await users.person())
    const { challenge_token, options } = (await post('/auth/login/passkey/options', undefined)).body
    const body = { challenge_token, credential: authenticator.get(options) }
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('/auth/login/passkey', body)))
    expect(statuses(answers)).toEqual([200, ...Array(19).fill(400)])
  })

  it.each([
    ['another site', { origin: 'https://evil.example' }],
    ['another relying party', { rpId: 'evil.example' }],
    ['another challenge', { challenge: 'c29tZXRoaW5nIGVsc2U' }],
    ['an authenticator that has not verified its user', { userVerified: false }],
  ])('a passkey is rejected from %s, at sign-in and when added', async (_what, deviations) => {
    const person = await users.person()
    const { authenticator } = await withPasskey(person)
    expect((await signIn(authenticator, deviations)).answer.body.code).toBe('PASSKEY_REFUSED')
    const { challenge_token, options } = (
      await post('/auth/passkeys/options', { password: PASSWORD }, person.token)
    ).body
    const credential = new SoftwareAuthenticator(ORIGIN).create(options, deviations)
    const added = await post('/auth/passkeys', { challenge_token, name: 'x', credential }, person.token)
    expect(added.body.code).toBe('PASSKEY_REFUSED')
  })

  it('a passkey is rejected when its counter does not rise, as that of a copied authenticator', async () => {
    const { authenticator } = await withPasskey(await users.person())
    expect((await signIn(authenticator, { counter: 50 })).answer.status).toBe(200)
    for (const counter of [50, 49, 0])
      expect((await signIn(authenticator, { counter })).answer.body.code).toBe('PASSKEY_REFUSED')
    const answers = await Promise.all(
      Array.from({ length: 5 }, async () => (await signIn(authenticator, { counter: 60 })).answer),
    )
    expect(statuses(answers).filter((status) => status === 200)).toHaveLength(1)
  })

  it('a passkey requires the password to be added or removed, belongs to one account, and is rejected after removal', async () => {
    const [person, other] = [await users.person(), await users.person()]
    const wrong = await post('/auth/passkeys/options', { password: 'Wrong1234!' }, person.token)
    expect(wrong.body.code).toBe('PASSWORD_WRONG')
    const { authenticator, passkeyId } = await withPasskey(person)
    const started = (await post('/auth/passkeys/options', { password: PASSWORD }, other.token)).body
    const credential = authenticator.create(started.options)
    const body = { challenge_token: started.challenge_token, name: 'x', credential }
    expect((await post('/auth/passkeys', body, person.token)).body.code).toBe('CHALLENGE_INVALID')
    const again = (await post('/auth/passkeys/options', { password: PASSWORD }, other.token)).body
    const taken = {
      ...body,
      challenge_token: again.challenge_token,
      credential: authenticator.create(again.options),
    }
    expect((await post('/auth/passkeys', taken, other.token)).body.code).toBe('PASSKEY_REFUSED')
    const remove = (token: string) =>
      users.call('DELETE', `/auth/passkeys/${passkeyId}`, { token, body: { password: PASSWORD } })
    expect((await remove(other.token)).body.code).toBe('PASSKEY_NOT_FOUND')
    expect((await remove(person.token)).status).toBe(204)
    expect((await signIn(authenticator)).answer.body.code).toBe('PASSKEY_REFUSED')
  })
})

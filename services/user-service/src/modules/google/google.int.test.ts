import { generateKeyPairSync } from 'node:crypto'
import { userRegistered } from '@bigtech/contracts'
import { type OpenIdProvider, signInWithCode, startOpenIdProvider } from '@bigtech/openid-provider'
import { uniqueName } from '@bigtech/testkit'
import { type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, type TestService, type TestWorld, testWorld } from '../../../testing/harness.ts'

const CLIENT_ID = 'bigtech-chat'
const redirectUri = 'http://127.0.0.1:9/back'

let world: TestWorld
let users: TestService
let google: OpenIdProvider

beforeAll(async () => {
  google = await startOpenIdProvider({ port: 0, redirectUris: [redirectUri] })
  world = await testWorld()
  users = await world.build(googleEnv())
})
afterAll(async () => {
  await world.close()
  await google.stop()
})

function googleEnv(): Record<string, string> {
  return {
    GOOGLE_CLIENT_IDS: CLIENT_ID,
    GOOGLE_ISSUERS: `${google.issuer},accounts.google.com`,
    GOOGLE_JWKS_URL: google.jwksUrl,
    GOOGLE_AUTHORIZATION_URL: google.authorizationUrl,
  }
}

async function newNonce(): Promise<string> {
  return (await users.call('POST', '/auth/google/nonce')).body.nonce
}

function signIn(idToken: string, more: Record<string, unknown> = {}) {
  return users.call('POST', '/auth/google', { body: { id_token: idToken, ...more } })
}

const address = () => `${uniqueName('g')}@gmail.example`

/** Signs a token like the provider; `header` and `claims` replace its content. */
async function forge(
  claims: JWTPayload = {},
  options: { alg?: string; kid?: string; key?: Parameters<SignJWT['sign']>[0] } = {},
): Promise<string> {
  const { kid = google.signingKey.kid, alg = 'RS256', key = google.signingKey.key } = options
  const now = Math.floor(Date.now() / 1_000)
  return new SignJWT({
    sub: uniqueName('sub'),
    email: address(),
    email_verified: true,
    nonce: await newNonce(),
    iss: google.issuer,
    aud: CLIENT_ID,
    iat: now,
    exp: now + 300,
    ...claims,
  })
    .setProtectedHeader({ alg, kid })
    .sign(key)
}

/** Registers an address with a password, verified or not. */
async function registered(email: string, isVerified: boolean): Promise<number> {
  const { id } = (await users.register({ email })).body
  if (isVerified) await world.mysql.query('UPDATE users SET email_verified_at = NOW(3) WHERE id = ?', [id])
  return id
}

describe('the first sign-in with Google', () => {
  it('the first sign-in with Google creates an account by the code flow, whose later sign-ins and refreshes work as usual', async () => {
    const { body: providers } = await users.call('GET', '/auth/providers')
    expect(providers.google).toEqual({ client_id: CLIENT_ID, authorization_url: google.authorizationUrl })
    const login = address()
    const first = await signIn(await signInWithCode(google, { login, nonce: await newNonce(), redirectUri }))
    expect(first.status, first.text).toBe(200)
    const profile = await users.call('GET', '/profile/me', { token: first.body.access_token })
    expect(profile.body).toMatchObject({
      email: login,
      email_verified: true,
      display_name: login.split('@')[0],
    })

    const again = await signIn(await signInWithCode(google, { login, nonce: await newNonce(), redirectUri }))
    expect(again.body.user_id).toBe(first.body.user_id)
    const refreshed = await users.refresh(again.body.refresh_token)
    expect(refreshed.body).toMatchObject({ user_id: first.body.user_id, access_token: expect.any(String) })
  })

  it('the first sign-in with Google publishes UserRegistered once, and mails no verification link for an address verified by Google', async () => {
    const events = await world.events()
    const { body } = await signIn(await forge({ name: '김민지' }), { locale: 'ko' })
    const event = await events.waitFor(userRegistered, ({ user_id }) => user_id === body.user_id)
    expect(event).toMatchObject({ username: expect.stringContaining('김민지'), display_name: '김민지' })
    const links = await world.mysql.query('SELECT id FROM account_links WHERE user_id = ?', [body.user_id])
    expect(links).toEqual([])
  })

  it('8 concurrent first sign-ins of one Google identity create one account', async () => {
    const claims = { sub: uniqueName('sub'), email: address() }
    const tokens = await Promise.all(Array.from({ length: 8 }, () => forge(claims)))
    const answers = await Promise.all(tokens.map((token) => signIn(token)))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(new Set(answers.map(({ body }) => body.user_id)).size).toBe(1)
  })

  it('the first sign-in with Google rejects an address that Google has not verified', async () => {
    const token = await signInWithCode(google, {
      ...{ login: `unverified-${address()}`, redirectUri },
      nonce: await newNonce(),
    })
    expect((await signIn(token)).body.code).toBe('GOOGLE_EMAIL_UNVERIFIED')
  })
})

describe('an ID token', () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey
  const past = Math.floor(Date.now() / 1_000) - 3_600
  it.each<[string, () => Promise<string>]>([
    ['for another app', () => forge({ aud: 'another-app' })],
    ['for this app and another one', () => forge({ aud: [CLIENT_ID, 'another-app'] })],
    ['of another issuer', () => forge({ iss: 'https://evil.example' })],
    ['signed by another key with the same id', () => forge({}, { key: other })],
    ['of an unknown key', () => forge({}, { kid: 'unknown', key: other })],
    [
      'signed with a shared secret',
      () => forge({}, { alg: 'HS256', key: new TextEncoder().encode('x'.repeat(32)) }),
    ],
    ['expired', () => forge({ iat: past, exp: past + 300 })],
    ['issued an hour ago', () => forge({ iat: past, exp: past + 7_200 })],
    ['without a nonce', () => forge({ nonce: undefined })],
    ['with an unknown nonce', () => forge({ nonce: 'made-up-by-somebody' })],
    ['without an address', () => forge({ email: undefined })],
    ['malformed', async () => 'not-a-token'],
    [
      'without a signature',
      async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await forge()).split('.')[1]}.`,
    ],
  ])('an ID token is rejected with 401: %s', async (_case, token) => {
    const answer = await signIn(await token())
    expect(answer.status, answer.text).toBe(401)
    expect(answer.body.code).toBe('GOOGLE_TOKEN_INVALID')
  })

  it('an ID token signs in once: a replayed token is rejected, also concurrently', async () => {
    const token = await forge()
    const answers = await Promise.all(Array.from({ length: 6 }, () => signIn(token)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect((await signIn(token)).body.code).toBe('GOOGLE_TOKEN_INVALID')
  })

  it('an ID token is accepted with either spelling of the issuer', async () => {
    expect((await signIn(await forge({ iss: 'accounts.google.com' }))).status).toBe(200)
  })

  it("an ID token gets 503 rather than a rejection while Google's keys cannot be fetched", async () => {
    const offline = await world.build({ ...googleEnv(), GOOGLE_JWKS_URL: 'http://127.0.0.1:9/keys' })
    const answer = await offline.call('POST', '/auth/google', { body: { id_token: await forge() } })
    expect(answer.status).toBe(503)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  })
})

describe('linking', () => {
  it('sign-in with Google links an account with a verified address and keeps its password', async () => {
    const email = address()
    const userId = await registered(email, true)
    const answer = await signIn(await forge({ email: email.toUpperCase() }))
    expect(answer.body.user_id).toBe(userId)
    expect((await users.login(email)).status).toBe(200)
  })

  it('sign-in with Google neither takes over nor shares an address registered by another user first', async () => {
    const email = address()
    const userId = await registered(email, false)
    const token = await forge({ email })
    const refused = await signIn(token)
    expect(refused.status).toBe(409)
    expect(refused.body.code).toBe('GOOGLE_LINK_REFUSED')
    expect((await signIn(token, { password: 'not the password' })).body.code).toBe('CREDENTIALS_INVALID')
    expect(await world.mysql.query('SELECT 1 FROM user_identities WHERE user_id = ?', [userId])).toEqual([])
  })

  it('sign-in with Google links an unverified account once with its password, with the same token', async () => {
    const email = address()
    const userId = await registered(email, false)
    const token = await forge({ email, sub: 'subject-of-the-owner' })
    expect((await signIn(token)).status).toBe(409)
    expect((await signIn(token, { password: PASSWORD })).body.user_id).toBe(userId)
    const later = await signIn(await forge({ email, sub: 'subject-of-the-owner' }))
    expect(later.body.user_id).toBe(userId)
  })

  it('sign-in with Google follows the subject rather than the address: a reassigned address opens no account', async () => {
    const email = address()
    const owner = (await signIn(await forge({ email }))).body.user_id
    const answer = await signIn(await forge({ email }))
    expect(answer.status).toBe(409)
    expect(owner).toBeGreaterThan(0)
  })
})

describe('an account without a password', () => {
  it('an account without a password rejects every password and explains how to set one', async () => {
    const email = address()
    const { body } = await signIn(await forge({ email }))
    expect((await users.login(email, PASSWORD)).body.code).toBe('CREDENTIALS_INVALID')
    const token = body.access_token
    const deletion = await users.call('DELETE', '/profile/me', { token, body: { password: PASSWORD } })
    expect(deletion.body).toMatchObject({
      code: 'PASSWORD_WRONG',
      detail: expect.stringContaining('/auth/password/forgot'),
    })
  })

  it('an account without a password opens no session and releases no address while being deleted', async () => {
    const claims = { email: address(), sub: uniqueName('sub') }
    const first = (await signIn(await forge(claims))).body
    await world.mysql.query("UPDATE users SET status = 'deleting' WHERE id = ?", [first.user_id])
    expect((await signIn(await forge(claims))).body.code).toBe('EMAIL_TAKEN')
  })
})

it('sign-in with Google returns an explicit error without a client id', async () => {
  const plain = await world.build()
  expect((await plain.call('GET', '/auth/providers')).body).toEqual({ google: null })
  const answer = await plain.call('POST', '/auth/google/nonce')
  expect(answer.body.code).toBe('GOOGLE_NOT_CONFIGURED')
})

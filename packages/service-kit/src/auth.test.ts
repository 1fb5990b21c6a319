import { createServer, type Server } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { bearerToken, installAuthentication, remoteKeys } from './auth.ts'
import { RevocationList } from './revocations.ts'
import { TrustedTokens } from './trusted-tokens.ts'

interface SigningKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly jwk: JWK
}

async function newKey(kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  return {
    kid,
    privateKey,
    publicKey,
    jwk: { ...(await exportJWK(publicKey)), kid, alg: 'EdDSA', use: 'sig' },
  }
}

function claims(
  key: SigningKey,
  changes: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
) {
  const now = Math.floor(Date.now() / 1_000)
  const payload: JWTPayload = {
    sub: '7',
    iss: 'issuer',
    aud: 'audience',
    iat: now,
    exp: now + 600,
    sid: 'session',
    jti: crypto.randomUUID(),
    ...changes,
  }
  const token = new SignJWT(
    Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined)),
  )
  return token.setProtectedHeader({ alg: 'EdDSA', kid: key.kid, ...header }).sign(key.privateKey)
}

/** The key endpoint of user-service: publishes the keys in `published`. */
class KeyServer {
  published: JWK[] = []
  /** A response that replaces the keys. */
  instead: { status: number; body: string } | undefined
  fetches = 0
  #server: Server | undefined
  port = 0

  async listen(): Promise<void> {
    this.#server = createServer((_request, response) => {
      this.fetches++
      const { status, body } = this.instead ?? { status: 200, body: JSON.stringify({ keys: this.published }) }
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
    await new Promise<void>((resolve) => this.#server!.listen(this.port, '127.0.0.1', resolve))
    this.port = (this.#server.address() as { port: number }).port
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections()
    await new Promise((resolve) => this.#server?.close(resolve))
  }
}

let first: SigningKey
let second: SigningKey
let server: KeyServer
let app: FastifyInstance
let revocations: RevocationList
let stopKeys: () => void

beforeAll(async () => {
  first = await newKey('first')
  second = await newKey('second')
})
beforeEach(async () => {
  server = new KeyServer()
  server.published = [first.jwk]
  await server.listen()
  const { keys, stop } = remoteKeys(`http://127.0.0.1:${server.port}/jwks.json`)
  stopKeys = stop
  revocations = new RevocationList()
  app = fastify()
  app.setErrorHandler((err: Refusal, _request, reply) => {
    const { code, detail, store } = err
    return reply.code(500).send({ code, detail, store })
  })
  await installAuthentication(app, { issuer: 'issuer', audience: 'audience', keys, revocations })
  app.get('/', { onRequest: app.authenticate }, ({ actor }) => actor)
})
afterEach(async () => {
  vi.useRealTimers()
  stopKeys()
  await app.close()
  await server.close()
})

interface Refusal {
  readonly code?: string
  readonly detail?: string
  readonly store?: string
}

/** Calls a route that requires an access token; returns the actor, or the error passed to the error handler. */
async function call(token: string): Promise<Record<string, unknown>> {
  const answer = await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })
  return answer.json()
}

async function codeOf(token: string): Promise<unknown> {
  const { code, userId } = await call(token)
  return code ?? (userId === 7 ? 'accepted' : 'no actor')
}

describe('the key set', () => {
  it('the key set is fetched once for many tokens', async () => {
    const tokens = await Promise.all(Array.from({ length: 5 }, () => claims(first)))
    for (const token of tokens) expect(await codeOf(token)).toBe('accepted')
    expect(server.fetches).toBe(1)
  })

  it('the key set is fetched again for an unknown key, at most every 5 s', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    expect(await codeOf(await claims(first))).toBe('accepted')
    server.published = [first.jwk, second.jwk]
    const byNewKey = await claims(second)
    expect(await codeOf(byNewKey)).toBe('TOKEN_INVALID')
    expect(server.fetches).toBe(1)
    vi.setSystemTime(Date.now() + 6_000)
    expect(await codeOf(byNewKey)).toBe('accepted')
    expect(server.fetches).toBe(2)
  })

  it('a key set without a withdrawn key rejects its tokens, including tokens accepted before', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const byWithdrawnKey = await claims(first)
    expect(await codeOf(byWithdrawnKey)).toBe('accepted')
    server.published = [second.jwk]
    vi.setSystemTime(Date.now() + 6_000)
    expect(await codeOf(await claims(second))).toBe('accepted')
    expect(await codeOf(byWithdrawnKey)).toBe('TOKEN_INVALID')
  })

  it('the key set remains valid after the first fetch while user-service is down, also for new tokens', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    expect(await codeOf(await claims(first))).toBe('accepted')
    await server.close()
    vi.setSystemTime(Date.now() + 24 * 3_600_000)
    expect(await codeOf(await claims(first))).toBe('accepted')
  })

  it('a key set that could never be fetched leads to StoreUnavailable, not to a 401', async () => {
    await server.close()
    expect(await call(await claims(first))).toMatchObject({
      code: 'UNAVAILABLE',
      store: 'user-service',
    })
  })
})

describe('a token with an unknown key', () => {
  const unavailable = { code: 'UNAVAILABLE', store: 'user-service' }

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    expect(await codeOf(await claims(first))).toBe('accepted')
    vi.setSystemTime(Date.now() + 6_000)
  })

  it('a token with an unknown key is rejected when user-service does not know the key either', async () => {
    expect(await codeOf(await claims(second))).toBe('TOKEN_INVALID')
    expect(server.fetches).toBe(2)
  })

  it('a token with an unknown key gets 503 on every attempt while user-service is down, since the key may be new', async () => {
    const byNewKey = await claims(second)
    await server.close()
    expect(await call(byNewKey)).toMatchObject(unavailable)
    expect(await call(byNewKey)).toMatchObject(unavailable)
    server.published = [first.jwk, second.jwk]
    await server.listen()
    expect(await codeOf(byNewKey)).toBe('accepted')
  })

  it.each([
    ['an error', { status: 500, body: '{}' }],
    ['no JSON', { status: 200, body: '<html>' }],
    ['no key set', { status: 200, body: '{"message":"hello"}' }],
  ])('a token with an unknown key gets 503 when the key endpoint returns %s', async (_what, instead) => {
    server.instead = instead
    expect(await call(await claims(second))).toMatchObject(unavailable)
    expect(await codeOf(await claims(first))).toBe('accepted')
  })
})

describe('an invalid access token', () => {
  it.each([
    ['has expired', 'expired; refresh it', () => claims(first, { exp: Math.floor(Date.now() / 1_000) - 1 })],
    ['wrong audience', 'The aud claim', () => claims(first, { aud: 'other' })],
    ['missing session', 'The sid claim', () => claims(first, { sid: undefined })],
    ['malformed token', 'malformed', async () => 'abc'],
    ['wrong signature', 'signature is invalid', async () => claims(await newKey('first'))],
  ])('an access token is rejected with a detail that names the cause: %s', async (_case, detail, token) => {
    expect(await call(await token())).toMatchObject({
      code: 'TOKEN_INVALID',
      detail: expect.stringContaining(detail),
    })
  })

  it.each([
    ['without sub', { sub: undefined }],
    ['without exp', { exp: undefined }],
    ['without iat', { iat: undefined }],
    ['without aud', { aud: undefined }],
    ['without iss', { iss: undefined }],
    ['without a session', { sid: undefined }],
    ['with a wrong audience', { aud: 'other' }],
    ['with a wrong issuer', { iss: 'other' }],
    ['expired', { exp: Math.floor(Date.now() / 1_000) - 1 }],
    ['not yet valid', { nbf: Math.floor(Date.now() / 1_000) + 600 }],
    ['with a subject that is not a user id', { sub: 'admin' }],
    ['with a negative subject', { sub: '-7' }],
    ['with a hexadecimal subject', { sub: '0x7' }],
    ['with a subject in scientific notation', { sub: '7e0' }],
    ['with a space in the subject', { sub: ' 7' }],
    ['with a leading zero in the subject', { sub: '07' }],
    ['with a subject too large for an exact number', { sub: '9007199254740993' }],
    ['with a session that is not a string', { sid: { id: 1 } }],
    ['with an expiry that is not a number', { exp: 'tomorrow' }],
    ['with a start time that is not a number', { nbf: 'now' }],
    ['with an empty audience list', { aud: [] }],
    ['with a list as issuer', { iss: ['issuer'] }],
  ])('%s', async (_case, changes) => {
    expect(await codeOf(await claims(first, changes))).toBe('TOKEN_INVALID')
  })

  it('an access token with a wrong signature is rejected', async () => {
    const forged = await newKey('first')
    expect(await codeOf(await claims(forged))).toBe('TOKEN_INVALID')
  })

  it('an access token whose payload was changed is rejected', async () => {
    const [header, , signature] = (await claims(first)).split('.')
    const payload = Buffer.from(JSON.stringify({ sub: '8', sid: 's' })).toString('base64url')
    expect(await codeOf(`${header}.${payload}.${signature}`)).toBe('TOKEN_INVALID')
  })

  it('an access token is refused without a signature (alg none)', async () => {
    const token = new UnsecuredJWT({ sid: 's' })
      .setSubject('7')
      .setIssuer('issuer')
      .setAudience('audience')
      .setIssuedAt()
      .setExpirationTime('1h')
      .encode()
    expect(await codeOf(token)).toBe('TOKEN_INVALID')
  })

  it('an access token signed by HMAC with the public key as secret is rejected', async () => {
    const secret = new TextEncoder().encode(await exportSPKI(first.publicKey))
    const now = Math.floor(Date.now() / 1_000)
    const token = await new SignJWT({
      sub: '7',
      iss: 'issuer',
      aud: 'audience',
      iat: now,
      exp: now + 600,
      sid: 's',
    })
      .setProtectedHeader({ alg: 'HS256', kid: 'first' })
      .sign(secret)
    expect(await codeOf(token)).toBe('TOKEN_INVALID')
  })

  it.each([
    ['names another algorithm for the same key', { alg: 'Ed25519' }],
    ['names a key that was never published', { kid: 'third' }],
  ])('an access token is rejected when its header %s', async (_case, header) => {
    expect(await codeOf(await claims(first, {}, header))).toBe('TOKEN_INVALID')
  })

  it('an access token is refused when it requires an unknown extension (crit)', async () => {
    const token = await new SignJWT({ sid: 's' })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'first', crit: ['x'], x: 1 })
      .setSubject('7')
      .setIssuer('issuer')
      .setAudience('audience')
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(first.privateKey, { crit: { x: true } })
    expect(await codeOf(token)).toBe('TOKEN_INVALID')
  })

  it('an access token accepted before is rejected after its expiry or the end of its session', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const token = await claims(first)
    const other = await claims(first, { sid: 'other' })
    expect(await codeOf(token)).toBe('accepted')
    expect(await codeOf(other)).toBe('accepted')
    revocations.add(['session'])
    expect(await codeOf(token)).toBe('SESSION_REVOKED')
    expect(await codeOf(other)).toBe('accepted')
    vi.setSystemTime(Date.now() + 601_000)
    expect(await codeOf(other)).toBe('TOKEN_INVALID')
  })
})

it('an access token that expires within seconds is not accepted for longer because it was just verified', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const token = await claims(first)
  vi.setSystemTime(Date.now() + 598_000)
  expect(await codeOf(token)).toBe('accepted')
  vi.setSystemTime(Date.now() + 3_000)
  expect(await codeOf(token)).toBe('TOKEN_INVALID')
})

it('tokens are accepted and revoked correctly when more are in use than are kept', () => {
  const revoked = new RevocationList()
  const tokens = new TrustedTokens(revoked, 2)
  const actor = (sessionId: string) => ({
    userId: 7,
    sessionId,
    username: 'a',
    role: 'user' as const,
    expiresAt: Date.now() / 1_000 + 600,
  })
  for (const name of ['one', 'two', 'three']) tokens.add(name, actor(name))
  expect(tokens.actorOf('one')).toBeUndefined()
  expect(tokens.actorOf('three')?.sessionId).toBe('three')
  revoked.add(['three'])
  expect(() => tokens.actorOf('three')).toThrow(expect.objectContaining({ code: 'SESSION_REVOKED' }))
})

it.each([
  ['Bearer abc.def-g_h~i+/=', 'abc.def-g_h~i+/='],
  ['bearer abc', 'abc'],
])('reads the token from the header %j: %j', (header, token) => {
  expect(bearerToken(header)).toBe(token)
})

it.each([
  ['Basic abc', 'TOKEN_INVALID', 'does not start with "Bearer"'],
  ['abc.def.ghi', 'TOKEN_INVALID', 'does not start with "Bearer"'],
  ['Bearer a b', 'TOKEN_INVALID', 'malformed'],
  ['Bearer ', 'TOKEN_INVALID', 'malformed'],
  [undefined, 'NOT_AUTHENTICATED', ''],
])('rejects the header %j with a problem that names the cause', (header, code, detail) => {
  expect(() => bearerToken(header)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(detail) }),
  )
})

import { KeyObject, type webcrypto } from 'node:crypto'
import { userRoles } from '@bigtech/contracts'
import { StoreUnavailable } from '@bigtech/stores'
import fastifyJwt, { type FastifyJWTOptions } from '@fastify/jwt'
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import { createRemoteJWKSet, errors, type JWTHeaderParameters, type JWTVerifyGetKey } from 'jose'
import type { Actor } from './context.ts'
import { Problem } from './problem.ts'
import { bindToRequest } from './request-log.ts'
import type { RevocationList } from './revocations.ts'
import { TrustedTokens } from './trusted-tokens.ts'

declare module 'fastify' {
  interface FastifyRequest {
    actor: Actor | null
    bearer: string
  }
  interface FastifyInstance {
    authenticate: onRequestHookHandler
    trustedTokens: TrustedTokens
  }
}

interface AccessClaims {
  readonly sub: string
  readonly sid: string
  readonly username?: unknown
  readonly role?: unknown
  /** Expiry in Unix seconds. */
  readonly exp: number
}

/** Asymmetric only: a verifying service must not be able to sign. */
const ALGORITHM = 'EdDSA'
const REQUIRED_CLAIMS = ['sub', 'exp', 'iat', 'aud', 'iss', 'sid']
/** Decimal digits only, and few enough for an exact number: `Number` also accepts `0x3`, `3e0`, ` 3 ` and `3.0`. */
const USER_ID = /^[1-9]\d{0,14}$/
const CACHED_TOKENS = 10_000
const MALFORMED = 'The access token is malformed. Send it exactly as sign-in returned it.'
const NOT_OURS = 'The access token was not signed by this installation. Sign in again.'
const KEY_REFRESH_MS = 5 * 60 * 1_000

export interface AuthenticationOptions {
  readonly issuer: string
  readonly audience: string
  /** Verification keys: a remote key set, or the keys of user-service itself. */
  readonly keys: JWTVerifyGetKey
  readonly revocations: RevocationList
  /** For user-service only: the signing key and the lifetime of access tokens. */
  readonly signing?: TokenSigning
}

export interface TokenSigning {
  readonly key: KeyObject
  readonly kid: string
  readonly expiresInSeconds: number
}

/**
 * Registers @fastify/jwt for access tokens, and the authentication hook `app.authenticate`. The plugin caches verified
 * tokens until they expire. Expiry and revocations are checked on every request, the key every 5 s.
 */
export async function installAuthentication(
  app: FastifyInstance,
  options: AuthenticationOptions,
): Promise<void> {
  const { issuer, audience, revocations, signing } = options
  const publicKey = publicKeys(options.keys)
  app.decorateRequest('bearer', '')
  await app.register(fastifyJwt, {
    secret: {
      public: (_request: FastifyRequest, { header }: { header: JWTHeaderParameters }) => publicKey(header),
      ...(signing ? { private: signing.key.export({ type: 'pkcs8', format: 'pem' }).toString() } : {}),
    } as FastifyJWTOptions['secret'],
    decoratorName: 'actor',
    // Required for selecting the key by the header's `kid`.
    decode: { complete: true },
    sign: {
      algorithm: ALGORITHM,
      iss: issuer,
      aud: audience,
      ...(signing ? { kid: signing.kid, expiresIn: signing.expiresInSeconds } : {}),
    },
    verify: {
      algorithms: [ALGORITHM],
      allowedIss: issuer,
      allowedAud: audience,
      allowedSub: USER_ID,
      // The options above accept a token without the claim.
      requiredClaims: REQUIRED_CLAIMS,
      cache: CACHED_TOKENS,
      extractToken: (request) => request.bearer,
    },
    trusted: async (_request, { sid }) => {
      if (typeof sid !== 'string') throw refusal('The access token lacks a valid `sid`.')
      return !revocations.has(sid)
    },
    formatUser: (claims) => actorOf(claims as unknown as AccessClaims) as never,
    messages: {
      authorizationTokenExpiredMessage: 'The access token has expired; refresh it.',
      authorizationTokenInvalid: ({ message }) => `The access token is invalid: ${message} Sign in again.`,
    },
  })
  app.decorate('trustedTokens', new TrustedTokens(revocations, CACHED_TOKENS))
  app.decorate('authenticate', (request, _reply, done) => {
    const accept = ({ userId }: Actor) => {
      bindToRequest(request.log, { user_id: userId })
      done()
    }
    // Without a promise for a known token: this hook runs for almost every request.
    let actor: Actor | undefined
    try {
      actor = knownActor(request)
    } catch (err) {
      return done(err as Error)
    }
    if (actor) accept(actor)
    else authenticate(request).then(accept, done)
  })
}

/**
 * Returns the actor of the request's access token, and sets `request.actor` and `request.bearer`.
 * @throws Problem NOT_AUTHENTICATED, TOKEN_INVALID, SESSION_REVOKED; StoreUnavailable when the token's key
 * is
 * unknown and cannot be fetched.
 */
export async function authenticate(request: FastifyRequest): Promise<Actor> {
  const known = knownActor(request)
  if (known) return known
  try {
    await request.jwtVerify()
  } catch (err) {
    throw problemOf(err)
  }
  if (!request.actor) throw refusal(MALFORMED)
  request.server.trustedTokens.add(request.bearer, request.actor)
  return request.actor
}

/** Sets `request.bearer`, and `request.actor` when its token was verified a moment ago. @throws Problem as `authenticate` */
function knownActor(request: FastifyRequest): Actor | undefined {
  request.bearer = bearerToken(request.headers.authorization)
  const actor = request.server.trustedTokens.actorOf(request.bearer)
  if (actor) request.actor = actor
  return actor
}

function actorOf({ sub, sid, username, role: claimed, exp }: AccessClaims): Actor {
  return {
    userId: Number(sub),
    sessionId: sid,
    username: typeof username === 'string' ? username : '',
    role: userRoles.find((role) => role === claimed) ?? 'user',
    expiresAt: exp,
  }
}

/** Maps every error of the plugin, which would return 500 for unknown errors of its token library. */
function problemOf(err: unknown): unknown {
  const { code, message } = err as { code?: string; message: string }
  if (code === 'FST_JWT_AUTHORIZATION_TOKEN_UNTRUSTED') return new Problem('SESSION_REVOKED')
  if (code?.startsWith('FST_JWT_')) return refusal(message, err)
  if (code?.startsWith('FAST_JWT_')) return refusal(`The access token is invalid: ${message}`, err)
  return err
}

function refusal(detail: string, cause?: unknown): Problem {
  return new Problem('TOKEN_INVALID', { detail, cause })
}

/** Returns a function that looks up the public key of a token header, as PEM. */
function publicKeys(keys: JWTVerifyGetKey): (header: JWTHeaderParameters) => Promise<string> {
  const pems = new WeakMap<object, string>()
  return async (header) => {
    try {
      const key = await keys(header, { payload: '', signature: '' })
      const pem =
        pems.get(key) ?? KeyObject.from(key as webcrypto.CryptoKey).export({ type: 'spki', format: 'pem' })
      pems.set(key, pem.toString())
      return pem.toString()
    } catch (err) {
      if (isKeySetFailure(err)) throw new StoreUnavailable('user-service', err)
      throw refusal(err instanceof errors.JWKSNoMatchingKey ? NOT_OURS : MALFORMED, err)
    }
  }
}

/** Returns true when the key set could not be fetched, as opposed to an invalid token. */
function isKeySetFailure(err: unknown): boolean {
  if (!(err instanceof errors.JOSEError)) return true
  // jose throws the generic error for a response that is not 200 or not JSON.
  return (
    err instanceof errors.JWKSTimeout || err instanceof errors.JWKSInvalid || err.code === 'ERR_JOSE_GENERIC'
  )
}

/**
 * Fetches the keys of user-service. Fetched keys remain valid while user-service is down; they are refetched
 * every 5 minutes, so that a withdrawn key is dropped, and for an unknown `kid`.
 */
export function remoteKeys(url: string): { keys: JWTVerifyGetKey; stop: () => void } {
  const keys = createRemoteJWKSet(new URL(url), {
    timeoutDuration: 2_000,
    cooldownDuration: 5_000,
    cacheMaxAge: Number.POSITIVE_INFINITY,
  })
  const timer = setInterval(() => void keys.reload().catch(() => undefined), KEY_REFRESH_MS)
  timer.unref()
  return { keys, stop: () => clearInterval(timer) }
}

/**
 * Returns the token of an `Authorization: Bearer` header (RFC 6750, 2.1).
 * @throws Problem NOT_AUTHENTICATED without a header, TOKEN_INVALID when it holds no bearer token
 */
export function bearerToken(header: string | undefined): string {
  if (header === undefined) throw new Problem('NOT_AUTHENTICATED')
  const token = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1]
  if (token !== undefined) return token
  throw refusal(
    /^Bearer\b/i.test(header)
      ? MALFORMED
      : 'Send `Authorization: Bearer` and the access token; this header does not start with "Bearer".',
  )
}

import { userRoles } from '@bigtech/contracts'
import { StoreUnavailable } from '@bigtech/stores'
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Actor } from './context.ts'
import { Problem } from './problem.ts'
import type { RevocationList } from './revocations.ts'

/** Only asymmetric: a service that can verify must not be able to sign. */
const ALGORITHMS = ['EdDSA', 'Ed25519']
const REQUIRED_CLAIMS = ['sub', 'exp', 'iat', 'aud', 'iss', 'sid']
const EXPIRED = 'The access token has expired; refresh it.'
const MALFORMED = 'The access token is malformed. Send it as the sign-in answered it.'
const KEY_REFRESH_MS = 5 * 60 * 1_000

export interface AuthenticatorOptions {
  readonly issuer: string
  readonly audience: string
  /** Keys to verify with: a remote set, or user-service's own. */
  readonly keys: JWTVerifyGetKey
  readonly revocations: RevocationList
}

/** Turns an access token into the actor it speaks for. */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  /** An Ed25519 verification costs about as much as the rest of a small request. */
  readonly #verified = new LRUCache<string, Actor>({ max: 10_000 })

  constructor(options: AuthenticatorOptions) {
    this.#options = options
  }

  /** @throws Problem TOKEN_INVALID, SESSION_REVOKED; StoreUnavailable when its key is not known and cannot be fetched. */
  async verify(token: string): Promise<Actor> {
    const actor = this.#verified.get(token) ?? (await this.#verifySignature(token))
    if (actor.expiresAt * 1_000 <= Date.now()) throw new Problem('TOKEN_INVALID', { detail: EXPIRED })
    if (this.#options.revocations.has(actor.sessionId)) throw new Problem('SESSION_REVOKED')
    return actor
  }

  async #verifySignature(token: string): Promise<Actor> {
    try {
      const { payload } = await jwtVerify(token, this.#options.keys, {
        issuer: this.#options.issuer,
        audience: this.#options.audience,
        algorithms: ALGORITHMS,
        requiredClaims: REQUIRED_CLAIMS,
      })
      const actor = actorOf(payload)
      this.#verified.set(token, actor)
      return actor
    } catch (err) {
      if (err instanceof Problem) throw err
      if (isKeySetFailure(err)) throw new StoreUnavailable('user-service', err)
      throw new Problem('TOKEN_INVALID', { cause: err, detail: refusalOf(err) })
    }
  }
}

/** Decimal digits alone: `Number` also reads `0x3`, `3e0`, ` 3 ` and `3.0`. */
const USER_ID = /^[1-9]\d{0,15}$/

function actorOf(payload: JWTPayload): Actor {
  const userId = USER_ID.test(payload.sub ?? '') ? Number(payload.sub) : Number.NaN
  const { sid, username, exp, role: claimed } = payload
  if (!Number.isSafeInteger(userId) || typeof sid !== 'string' || typeof exp !== 'number') {
    throw new Problem('TOKEN_INVALID', { detail: 'The access token lacks a valid `sub` or `sid`.' })
  }
  return {
    userId,
    sessionId: sid,
    username: typeof username === 'string' ? username : '',
    role: userRoles.find((role) => role === claimed) ?? 'user',
    expiresAt: exp,
  }
}

/** What is wrong with a token, for whoever wrote the client. */
function refusalOf(err: unknown): string {
  if (err instanceof errors.JWTExpired) return EXPIRED
  if (err instanceof errors.JWTClaimValidationFailed)
    return `The access token has a wrong or no claim "${err.claim}".`
  if (err instanceof errors.JWSSignatureVerificationFailed || err instanceof errors.JWKSNoMatchingKey) {
    return 'The access token was not signed by this installation. Sign in again.'
  }
  return MALFORMED
}

/** A bad token is the caller's fault; a key set that cannot be had is not. */
function isKeySetFailure(err: unknown): boolean {
  if (!(err instanceof errors.JOSEError)) return true
  // The generic error is what jose throws for an answer that is not 200 or not JSON.
  return (
    err instanceof errors.JWKSTimeout || err instanceof errors.JWKSInvalid || err.code === 'ERR_JOSE_GENERIC'
  )
}

/**
 * The keys of user-service. Those once fetched stay good while user-service is down; they are
 * fetched anew every 5 minutes, so that a withdrawn key is forgotten, and for an unknown `kid`.
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
  const detail = /^Bearer\b/i.test(header)
    ? MALFORMED
    : 'Send `Authorization: Bearer` and the access token; this header does not begin with "Bearer".'
  throw new Problem('TOKEN_INVALID', { detail })
}

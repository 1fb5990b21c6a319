import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import { z } from 'zod'

/** A Google identity from a verified ID token. */
export interface GoogleIdentity {
  readonly subject: string
  /** In lower case, like our own addresses. */
  readonly email: string
  readonly emailVerified: boolean
  readonly name: string | undefined
  readonly nonce: string
}

export interface GoogleTokens {
  /** Verifies a token. Returns undefined for any untrusted token. @throws KeysUnavailable */
  verify(idToken: string): Promise<GoogleIdentity | undefined>
}

/** Google's keys cannot be fetched: the token may be authentic. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable'
}

/** Google's tokens are valid for an hour, but a sign-in takes minutes. */
const MAX_AGE = '10 min'
const CLOCK_TOLERANCE_SECONDS = 30

const claims = z.object({
  sub: z.string().regex(/^[\x21-\x7e]{1,255}$/),
  email: z.email().max(254).toLowerCase(),
  // Google sends a boolean; its older documentation shows a string.
  email_verified: z.union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })]).default(false),
  name: z.string().optional().catch(undefined),
  nonce: z.string().min(1),
})

/** Creates a verifier of ID tokens (OpenID Connect Core 3.1.3.7) against the provider's key set. */
export function createGoogleTokens(options: {
  clientIds: readonly string[]
  issuers: readonly string[]
  jwksUrl: string
}): GoogleTokens {
  const keys = createRemoteJWKSet(new URL(options.jwksUrl), {
    timeoutDuration: 2_000,
    cooldownDuration: 5_000,
  })
  return {
    verify: async (idToken) => {
      try {
        const { payload } = await jwtVerify(idToken, keys, {
          issuer: [...options.issuers],
          audience: [...options.clientIds],
          algorithms: ['RS256'],
          requiredClaims: ['sub', 'email', 'exp', 'iat', 'nonce'],
          maxTokenAge: MAX_AGE,
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
        })
        // Several audiences: the token was issued for another party that forwards it to us.
        if (typeof payload.aud !== 'string') return undefined
        const { success, data } = claims.safeParse(payload)
        if (!success) return undefined
        const { sub: subject, email_verified: emailVerified, email, name, nonce } = data
        return { subject, email, emailVerified, name, nonce }
      } catch (err) {
        if (isRefusal(err)) return undefined
        throw new KeysUnavailable('The keys of the identity provider cannot be fetched.', { cause: err })
      }
    },
  }
}

/** Returns whether the token is invalid, as opposed to a failure to fetch the keys. */
function isRefusal(err: unknown): boolean {
  if (err instanceof errors.JWKSTimeout) return false
  return err instanceof errors.JOSEError && err.code !== 'ERR_JOSE_GENERIC'
}

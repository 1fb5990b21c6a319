import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import { z } from 'zod'

/** Who signed in at Google, as the ID token says. */
export interface GoogleIdentity {
  readonly subject: string
  /** In lower case, as our own addresses are. */
  readonly email: string
  readonly emailVerified: boolean
  readonly name: string | undefined
  readonly nonce: string
}

export interface GoogleTokens {
  /** Returns undefined for a token that is not to be trusted, whatever the reason. @throws KeysUnavailable */
  verify(idToken: string): Promise<GoogleIdentity | undefined>
}

/** Google's keys cannot be fetched: the token may be genuine. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable'
}

/** Google's tokens live an hour; a sign-in takes minutes. */
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

/** Verifies ID tokens (OpenID Connect Core 3.1.3.7) against the provider's key set. */
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
        // Several audiences: the token was made for another party that shows it to us.
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

/** Whether the token is at fault, not the fetching of the keys. */
function isRefusal(err: unknown): boolean {
  if (err instanceof errors.JWKSTimeout) return false
  return err instanceof errors.JOSEError && err.code !== 'ERR_JOSE_GENERIC'
}

import { type UserRole, uuidv7 } from '@bigtech/contracts'
import { jwtVerify, SignJWT } from 'jose'
import type { SigningKeys } from '../../infrastructure/signing-keys.ts'
import { ACCESS_TOKEN_SECONDS } from './session.ts'

export interface Tokens {
  access(session: { userId: number; username: string; role: UserRole; sessionId: string }): Promise<string>
  /** Says that this device has signed in to this account before. Opens nothing by itself. */
  device(userId: number, deviceId?: string): Promise<string>
  /** Proves that its holder has read the mail of a link. What it opens, and whether still, the link's row says. */
  link(link: { id: string; userId: number; expiresAt: Date }): Promise<string>
  /** The link's id when the token is ours and has not expired. */
  readLink(token: string): Promise<string | undefined>
  /** The device's id when the token is ours and for this account. */
  readDevice(token: string, userId: number): Promise<string | undefined>
}

const ALGORITHM = 'EdDSA'
/** Another audience than that of access tokens: neither can stand in for the other. */
const DEVICE_AUDIENCE = 'bigtech-device'
const DEVICE_DAYS = 400
const LINK_AUDIENCE = 'bigtech-account-link'

/** Signs with the first key; the `kid` tells a verifier which one that was. */
export function createTokens(keys: SigningKeys, options: { issuer: string; audience: string }): Tokens {
  const { issuer, audience } = options
  const signed = (claims: Record<string, string>, subject: number, aud: string, expires: string | Date) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, kid: keys.signer.kid, typ: 'JWT' })
      .setIssuer(issuer)
      .setAudience(aud)
      .setSubject(String(subject))
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(keys.signer.key)
  return {
    access: ({ userId, username, role, sessionId }) => {
      const claims = { sid: sessionId, username, ...(role === 'user' ? {} : { role }) }
      return signed(claims, userId, audience, `${ACCESS_TOKEN_SECONDS} seconds`)
    },
    device: (userId, deviceId = uuidv7()) =>
      signed({ did: deviceId }, userId, DEVICE_AUDIENCE, `${DEVICE_DAYS} days`),
    link: ({ id, userId, expiresAt }) => signed({ lid: id }, userId, LINK_AUDIENCE, expiresAt),
    readLink: async (token) => {
      try {
        const { payload } = await jwtVerify(token, keys.verifyKeys, {
          issuer,
          audience: LINK_AUDIENCE,
          algorithms: [ALGORITHM, 'Ed25519'],
          requiredClaims: ['lid', 'exp'],
        })
        return typeof payload.lid === 'string' ? payload.lid : undefined
      } catch {
        return undefined
      }
    },
    readDevice: async (token, userId) => {
      try {
        const { payload } = await jwtVerify(token, keys.verifyKeys, {
          issuer,
          audience: DEVICE_AUDIENCE,
          subject: String(userId),
          algorithms: [ALGORITHM, 'Ed25519'],
          requiredClaims: ['did', 'exp'],
        })
        return typeof payload.did === 'string' ? payload.did : undefined
      } catch {
        // A device that is not known is an ordinary one.
        return undefined
      }
    },
  }
}

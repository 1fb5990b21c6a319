import { type UserRole, uuidv7 } from '@bigtech/contracts'
import type { FastifyInstance } from 'fastify'
import type { SigningKeys } from '../../infrastructure/signing-keys.ts'

export interface Tokens {
  access(session: { userId: number; username: string; role: UserRole; sessionId: string }): string
  /** Returns an access token without a session, for calling neighbor services on behalf of a user. */
  standIn(user: { userId: number; username: string }): string
  /** Returns a token proving that this device has signed in to this account before. Grants no access. */
  device(userId: number, deviceId?: string): string
  /** Returns a token proving that its holder has read the mail of a link. The link's row determines its effect. */
  link(link: { id: string; userId: number; expiresAt: Date }): string
  /** Returns the link id of a valid, unexpired token. */
  readLink(token: string): string | undefined
  /** Returns the device id of a valid token for this account issued after `trustedFrom`. */
  readDevice(token: string, userId: number, trustedFrom: Date | null): string | undefined
}

/** Different from the audience of access tokens: neither can replace the other. */
const DEVICE_AUDIENCE = 'bigtech-device'
const DEVICE_DAYS = 400
const LINK_AUDIENCE = 'bigtech-account-link'

/**
 * Creates tokens. Signs with the settings of `jwt` in service-kit (issuer, key, `kid`); verifies with any of
 * our keys.
 */
export function createTokens(jwt: FastifyInstance['jwt'], keys: SigningKeys): Tokens {
  /**
   * Returns the claim `name` of a valid token for `allowedAud`, and its issue time (Unix ms); undefined for
   * any other token.
   */
  function read(token: string, name: string, checks: { allowedAud: string; allowedSub?: string }) {
    try {
      const { header } = jwt.decode<{ header: { kid?: string } }>(token) ?? {}
      const key = keys.publicPems.get(header?.kid ?? '')
      if (key === undefined) return undefined
      const requiredClaims = [name, 'sub', 'iss', 'aud', 'exp', 'iat']
      const claims = jwt.verify<Record<string, unknown>>(token, {
        ...checks,
        key,
        requiredClaims,
        cache: false,
      })
      const value = claims[name]
      return typeof value === 'string' ? { value, issuedAt: Number(claims.iat) * 1_000 } : undefined
    } catch {
      return undefined
    }
  }
  const access: Tokens['access'] = ({ userId, username, role, sessionId }) => {
    const claims = { sub: String(userId), sid: sessionId, username }
    return jwt.sign(role === 'user' ? claims : { ...claims, role })
  }
  return {
    access,
    standIn: (user) => access({ ...user, role: 'user', sessionId: crypto.randomUUID() }),
    device: (userId, deviceId = uuidv7()) =>
      jwt.sign(
        { sub: String(userId), did: deviceId },
        { aud: DEVICE_AUDIENCE, expiresIn: `${DEVICE_DAYS} days` },
      ),
    link: ({ id, userId, expiresAt }) =>
      jwt.sign(
        { sub: String(userId), lid: id },
        { aud: LINK_AUDIENCE, expiresIn: (expiresAt.getTime() - Date.now()) / 1_000 },
      ),
    readLink: (token) => read(token, 'lid', { allowedAud: LINK_AUDIENCE })?.value,
    readDevice: (token, userId, trustedFrom) => {
      const device = read(token, 'did', { allowedAud: DEVICE_AUDIENCE, allowedSub: String(userId) })
      // `iat` is in whole seconds: a token of the same second counts as older.
      const isTrusted = !trustedFrom || (device?.issuedAt ?? 0) > trustedFrom.getTime()
      return isTrusted ? device?.value : undefined
    },
  }
}

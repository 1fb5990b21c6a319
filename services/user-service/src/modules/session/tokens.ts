import { type UserRole, uuidv7 } from '@bigtech/contracts'
import type { FastifyInstance } from 'fastify'
import type { SigningKeys } from '../../infrastructure/signing-keys.ts'

export interface Tokens {
  access(session: { userId: number; username: string; role: UserRole; sessionId: string }): string
  /** An access token that belongs to no session, for what this service asks its neighbors in a user's name. */
  standIn(user: { userId: number; username: string }): string
  /** Says that this device has signed in to this account before. Opens nothing by itself. */
  device(userId: number, deviceId?: string): string
  /** Proves that its holder has read the mail of a link. What it opens, and whether still, the link's row says. */
  link(link: { id: string; userId: number; expiresAt: Date }): string
  /** The link's id when the token is ours and has not expired. */
  readLink(token: string): string | undefined
  /** The device's id when the token is ours, for this account, and not from before `trustedFrom`. */
  readDevice(token: string, userId: number, trustedFrom: Date | null): string | undefined
}

/** Another audience than that of access tokens: neither can stand in for the other. */
const DEVICE_AUDIENCE = 'bigtech-device'
const DEVICE_DAYS = 400
const LINK_AUDIENCE = 'bigtech-account-link'

/** Signs as service-kit has set up `jwt` (issuer, key, `kid`); verifies with whichever of our keys signed. */
export function createTokens(jwt: FastifyInstance['jwt'], keys: SigningKeys): Tokens {
  /** Returns the claim `name` of a token of ours for `allowedAud`, and when it was issued (Unix ms); undefined for every other token. */
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

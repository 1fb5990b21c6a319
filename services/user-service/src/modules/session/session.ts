import type { UserRole } from '@bigtech/contracts'
import { hashRefreshToken, isGenuine, type RefreshToken, sameHash } from './refresh-token.ts'

const DAY_MS = 86_400_000

/** Idle lifetime of a session. */
const SLIDING_MS = 30 * DAY_MS
/** Absolute lifetime of a session. */
const HARD_LIMIT_MS = 180 * DAY_MS
export const ACCESS_TOKEN_SECONDS = 600
/** Maximum per user; a further sign-in ends the oldest. */
export const MAX_SESSIONS = 100

/** A session: a family of refresh tokens. */
export interface Session {
  readonly id: string
  readonly userId: number
  readonly username: string
  readonly role: UserRole
  /** Whether the account is usable. */
  readonly userActive: boolean
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly endedAt: Date | null
  readonly familyKey: Uint8Array
  readonly currentHash: Uint8Array
  readonly previousHash: Uint8Array | null
  readonly sealedSuccessor: Uint8Array | null
}

/** A session as shown to its owner. */
export interface SessionView {
  readonly id: string
  readonly device: string
  readonly ipPrefix: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
}

export type RefreshDecision =
  /** The current token: replace it. */
  | 'rotate'
  /** The parent of the current, unused token: return the current token again. */
  | 'repeat'
  /** An older token: two clients hold tokens of this session. End it. */
  | 'reuse'
  /** Not a token of an active session. */
  | 'invalid'

/**
 * Decides the effect of a refresh token on its session. Repeating the parent of an unused token is no theft:
 * the response was lost, the device slept during a refresh, or several tabs refresh concurrently.
 */
export function decideRefresh(session: Session | null, token: RefreshToken, now: Date): RefreshDecision {
  if (!session?.userActive || session.endedAt !== null || session.expiresAt <= now) return 'invalid'
  const hash = hashRefreshToken(token)
  if (sameHash(hash, session.currentHash)) return 'rotate'
  if (sameHash(hash, session.previousHash)) return 'repeat'
  return isGenuine(token, session.familyKey) ? 'reuse' : 'invalid'
}

/** Returns the expiry of a session used now. */
export function expiryOf(createdAt: Date, now: Date): Date {
  return new Date(Math.min(now.getTime() + SLIDING_MS, createdAt.getTime() + HARD_LIMIT_MS))
}

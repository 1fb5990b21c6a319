import type { UserRole } from '@bigtech/contracts'
import { hashRefreshToken, isGenuine, type RefreshToken, sameHash } from './refresh-token.ts'

const DAY_MS = 86_400_000

/** A session that nobody refreshes ends after this. */
const SLIDING_MS = 30 * DAY_MS
/** However much it is refreshed, it ends after this. */
const HARD_LIMIT_MS = 180 * DAY_MS
export const ACCESS_TOKEN_SECONDS = 600
/** The oldest ends when somebody signs in more often. */
export const MAX_SESSIONS = 100

/** A session is a family of refresh tokens. */
export interface Session {
  readonly id: string
  readonly userId: number
  readonly username: string
  readonly role: UserRole
  /** Whether the account may still be used. */
  readonly userActive: boolean
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly endedAt: Date | null
  readonly familyKey: Uint8Array
  readonly currentHash: Uint8Array
  readonly previousHash: Uint8Array | null
  readonly sealedSuccessor: Uint8Array | null
}

/** A session as its owner sees it. */
export interface SessionView {
  readonly id: string
  readonly device: string
  readonly ipPrefix: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
}

export type RefreshDecision =
  /** The token in force: replace it. */
  | 'rotate'
  /** The parent of the token in force, which nobody has used yet: give that token once more. */
  | 'repeat'
  /** An older one: two clients hold tokens of this session. End it. */
  | 'reuse'
  /** Not a token of an active session. */
  | 'invalid'

/**
 * Decides what a refresh token may do to its session. That its successor has not been used is no theft: the
 * answer was lost, the device slept in the middle of a refresh, or several tabs refresh at once.
 */
export function decideRefresh(session: Session | null, token: RefreshToken, now: Date): RefreshDecision {
  if (!session?.userActive || session.endedAt !== null || session.expiresAt <= now) return 'invalid'
  const hash = hashRefreshToken(token)
  if (sameHash(hash, session.currentHash)) return 'rotate'
  if (sameHash(hash, session.previousHash)) return 'repeat'
  return isGenuine(token, session.familyKey) ? 'reuse' : 'invalid'
}

/** When a session that is used now will end. */
export function expiryOf(createdAt: Date, now: Date): Date {
  return new Date(Math.min(now.getTime() + SLIDING_MS, createdAt.getTime() + HARD_LIMIT_MS))
}

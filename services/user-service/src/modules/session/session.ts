import { hashRefreshToken, isGenuine, type RefreshToken, sameHash } from './refresh-token.ts'

const DAY_MS = 86_400_000

/** A session that nobody refreshes ends after this. */
const SLIDING_MS = 30 * DAY_MS
/** However much it is refreshed, it ends after this. */
const HARD_LIMIT_MS = 180 * DAY_MS
/** Tabs that refresh at the same time all present the same token. */
const PREVIOUS_TOKEN_MS = 30_000
export const ACCESS_TOKEN_SECONDS = 600
/** The oldest ends when somebody signs in more often. */
export const MAX_SESSIONS = 100

/** A session is a family of refresh tokens. */
export interface Session {
  readonly id: string
  readonly userId: number
  readonly username: string
  /** Whether the account may still be used. */
  readonly userActive: boolean
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly endedAt: Date | null
  readonly familyKey: Uint8Array
  readonly currentHash: Uint8Array
  readonly previousHash: Uint8Array | null
  readonly sealedSuccessor: Uint8Array | null
  readonly rotatedAt: Date
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
  /** The one before it, just replaced: give its successor once more. */
  | 'repeat'
  /** One that was replaced earlier: somebody has a copy. End the session. */
  | 'reuse'
  /** Not a token of a living session. */
  | 'invalid'

/** What a refresh token may do to its session. */
export function decideRefresh(session: Session | null, token: RefreshToken, now: Date): RefreshDecision {
  if (!session?.userActive || session.endedAt !== null || session.expiresAt <= now) return 'invalid'
  const hash = hashRefreshToken(token)
  if (sameHash(hash, session.currentHash)) return 'rotate'
  const age = now.getTime() - session.rotatedAt.getTime()
  if (sameHash(hash, session.previousHash) && age <= PREVIOUS_TOKEN_MS) return 'repeat'
  return isGenuine(token, session.familyKey) ? 'reuse' : 'invalid'
}

/** When a session that is used now will end. */
export function expiryOf(createdAt: Date, now: Date): Date {
  return new Date(Math.min(now.getTime() + SLIDING_MS, createdAt.getTime() + HARD_LIMIT_MS))
}

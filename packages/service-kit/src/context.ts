import { type UserRole, uuidv7 } from '@bigtech/contracts'
import type { Logger } from 'pino'

/** The user and session of a verified access token. */
export interface Actor {
  readonly userId: number
  readonly sessionId: string
  readonly username: string
  /** The role when the token was signed; changing a user's role ends their sessions. */
  readonly role: UserRole
  /** Expiry of the token in Unix seconds. */
  readonly expiresAt: number
}

/** The caller, logger and deadline of a use case, passed explicitly. */
export interface Context {
  readonly requestId: string
  readonly log: Logger
  readonly actor: Actor | null
  /**
   * Aborts when the caller has disconnected, and 8 s after the handler began: before the gateway's timeout
   * (10 s), so that queued work ends with a response. Absent outside a request.
   */
  readonly signal?: AbortSignal
}

export interface AuthenticatedContext extends Context {
  readonly actor: Actor
  /** The access token, for calling a neighbor service on behalf of the user. */
  readonly bearer: string
}

const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$/

/** Returns the caller's `x-request-id` if it is safe to log, or a new id. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : uuidv7()
}

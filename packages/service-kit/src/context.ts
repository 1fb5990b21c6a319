import { type UserRole, uuidv7 } from '@bigtech/contracts'
import type { Logger } from 'pino'

/** Who a verified access token speaks for. */
export interface Actor {
  readonly userId: number
  readonly sessionId: string
  readonly username: string
  /** As of when the token was signed; a session ends when its user's role changes. */
  readonly role: UserRole
  /** Unix seconds after which the token is not valid any more. */
  readonly expiresAt: number
}

/** Passed explicitly through use cases: whose work this is, and how it is followed in the logs. */
export interface Context {
  readonly requestId: string
  readonly log: Logger
  readonly actor: Actor | null
  /**
   * Aborts when the caller has disconnected, and 8 s after the handler began: before the gateway's time-out
   * (10 s), so that queued work ends with an answer. Absent outside of a request.
   */
  readonly signal?: AbortSignal
}

export interface AuthenticatedContext extends Context {
  readonly actor: Actor
  /** The token itself, to ask a neighbour in the user's name. */
  readonly bearer: string
}

const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$/

/** A caller's `x-request-id` if it is one we would write into a log; a new one otherwise. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : uuidv7()
}

import type { UserRole } from '@bigtech/contracts'
import { pino } from 'pino'
import { createLogger } from './logging.ts'

/** A difference between stored and expected data. */
export interface Finding {
  /** The affected object, for example `room 7`. */
  readonly subject: string
  readonly detail: string
  /** Whether the command repaired it. */
  readonly isFixed: boolean
}

/**
 * An object owned by one service and copied by others: a user (`ids` is the user id) or a pair of users
 * (`ids` is the smaller and the larger id).
 */
export interface Fact {
  readonly kind: 'user' | 'pair'
  readonly ids: readonly number[]
  readonly fields: Readonly<Record<string, string | boolean | null>>
}

/** The local copies of a service. */
export interface Copies {
  /** The copied fields per kind; kinds without copies are absent. */
  readonly fields: Readonly<Partial<Record<Fact['kind'], readonly string[]>>>
  /** Iterates all copies: users before pairs, each ordered by id. */
  all(): AsyncIterable<Fact>
  /** Removes the copy of an object unknown to its owner. */
  drop(fact: Fact): Promise<void>
}

/** Operations on the accounts of user-service, for operators. */
export interface UserOperations {
  sessions(userId: number): Promise<readonly Readonly<Record<string, string>>[]>
  /** Ends one session or all sessions; returns the number of ended sessions. */
  revoke(userId: number, sessionId?: string): Promise<number>
  /** Returns all data that the services store about a user, as JSON text. */
  exportData(userId: number): AsyncIterable<Uint8Array>
  /** An account by address or username; null when there is none that is active. */
  role(identifier: string): Promise<{ readonly username: string; readonly role: UserRole } | null>
  /** Gives an account a role and ends its sessions; returns how many ended, null when there is no such active account. */
  setRole(identifier: string, role: UserRole): Promise<number | null>
  /**
   * Compares rows with what the events of each user lead to, and returns what differs. `rebuild` makes the row what its
   * history says, `snapshot` appends the row to its history.
   */
  replay(options: {
    readonly userId?: number | undefined
    readonly repair: 'none' | 'rebuild' | 'snapshot'
  }): Promise<Finding[]>
  /** Starts the deletion of an account; returns the deletion's id. */
  erase(userId: number, messagePolicy: 'keep' | 'remove'): Promise<string>
}

/** The unpublished entries of a log that is its own outbox. */
interface LogBacklog {
  readonly waiting: number
  /** Age of the oldest waiting entry; 0 without one. */
  readonly oldestSeconds: number
}

/** The operations of one service available to the `bigtech` command; unsupported operations are absent. */
export interface ServiceOperations {
  /** Compares the service's aggregates with the underlying data. */
  verify?(options: { readonly fix: boolean }): Promise<Finding[]>
  /** Iterates the objects that this service owns and others copy: users before pairs, each ordered by id. */
  owned?(): AsyncIterable<Fact>
  readonly copies?: Copies
  /** Compares data that is not a copy, such as counts, with the owners' data. */
  verifyOwned?(facts: AsyncIterable<Fact>, options: { readonly fix: boolean }): Promise<Finding[]>
  /**
   * Publishes the current state of everything that others copy; returns the number of events. `raiseVersions`
   * also overrides newer copies: for use after a restore.
   */
  republish?(options: { readonly raiseVersions: boolean }): Promise<number>
  /** Counts the unpublished entries of the service's log, where the log is the outbox. */
  backlog?(): Promise<LogBacklog>
  readonly users?: UserOperations
  close(): Promise<unknown>
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Opens a service's operations; every service exports one from src/operations.ts. @param env the service's variables */
export type OpenOperations = (env: Environment) => Promise<ServiceOperations>

/** Log destination of commands: standard output is reserved for the result. */
export const commandLogDestination = pino.destination(2)

/** Returns a logger for commands: warnings only. */
export function commandLogger(service: string) {
  return createLogger({ service, level: 'warn', destination: commandLogDestination })
}

const REACHABLE_TIMEOUT_MS = 15_000
const RETRY_MS = 500

/** Waits up to 15 s for a store, because commands need not fail fast. @throws the last error */
export async function untilReachable(ping: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + REACHABLE_TIMEOUT_MS
  for (;;) {
    try {
      await ping()
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

/** Reads a table page by page in key order. @param next returns the rows after the given one */
export async function* pages<Row>(
  next: (last: Row | undefined) => Promise<readonly Row[]>,
): AsyncGenerator<Row, void> {
  let last: Row | undefined
  for (;;) {
    const rows = await next(last)
    yield* rows
    last = rows.at(-1)
    if (last === undefined) return
  }
}

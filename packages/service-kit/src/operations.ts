import { pino } from 'pino'
import { createLogger } from './logging.ts'

/** A difference between what is stored and what it should be. */
export interface Finding {
  /** What is wrong, `room 7` say. */
  readonly subject: string
  readonly detail: string
  /** Whether the command has repaired it. */
  readonly isFixed: boolean
}

/**
 * Something that one service owns and others keep a copy of: a user (`ids` is the user id) or a pair of users
 * (`ids` is the smaller and the larger id).
 */
export interface Fact {
  readonly kind: 'user' | 'pair'
  readonly ids: readonly number[]
  readonly fields: Readonly<Record<string, string | boolean | null>>
}

/** The copies that a service keeps. */
export interface Copies {
  /** The fields of each kind that the service copies; a kind that it does not copy is missing. */
  readonly fields: Readonly<Partial<Record<Fact['kind'], readonly string[]>>>
  /** All copies: users before pairs, each in the order of their ids. */
  all(): AsyncIterable<Fact>
  /** Removes the copy of something that its owner does not know. */
  drop(fact: Fact): Promise<void>
}

/** What operators may do with the accounts of user-service. */
export interface UserOperations {
  sessions(userId: number): Promise<readonly Readonly<Record<string, string>>[]>
  /** Ends one session, or all of them; returns how many ended. */
  revoke(userId: number, sessionId?: string): Promise<number>
  /** Everything that the services store of a user, as JSON text. */
  exportData(userId: number): AsyncIterable<Uint8Array>
  /** Starts the deletion of an account; returns the deletion's id. */
  erase(userId: number, messagePolicy: 'keep' | 'remove'): Promise<string>
}

/** What the `bigtech` command can do with one service; what the service has no use for is missing. */
export interface ServiceOperations {
  /** Compares the service's figures with what they are counted from. */
  verify?(options: { readonly fix: boolean }): Promise<Finding[]>
  /** What this service owns and others copy: users before pairs, each in the order of their ids. */
  owned?(): AsyncIterable<Fact>
  readonly copies?: Copies
  /**
   * Publishes everything that others copy, as it is now; returns the number of events. With `raiseVersions` also
   * over copies that are newer: for after a restore.
   */
  republish?(options: { readonly raiseVersions: boolean }): Promise<number>
  readonly users?: UserOperations
  close(): Promise<unknown>
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Every service exports one from src/operations.ts. @param env the service's own variables */
export type OpenOperations = (env: Environment) => Promise<ServiceOperations>

/** Where the log lines of commands go: standard output belongs to the answer. */
export const commandLogDestination = pino.destination(2)

/** A logger for commands: warnings only. */
export function commandLogger(service: string) {
  return createLogger({ service, level: 'warn', destination: commandLogDestination })
}

const REACHABLE_TIMEOUT_MS = 15_000
const RETRY_MS = 500

/** Waits for a store up to 15 s: a command may be patient where a request fails fast. @throws what the last try threw */
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

/** Reads a table page by page in the order of its key. @param next returns the rows after the last one */
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

/** The event can never be applied: it goes to the dead letters at once, without a retry. */
export class PermanentError extends Error {
  override readonly name: string = 'PermanentError'
}

/** A store or a neighbour is away: the event waits for it however long it takes, and is never a dead letter. */
export class UnavailableError extends Error {
  override readonly name: string = 'UnavailableError'
}

/** Kafka did not acknowledge in time. The records may or may not be stored: publish them again. */
export class KafkaUnavailable extends UnavailableError {
  override readonly name = 'KafkaUnavailable'
}

/** Kafka will never take this record (too large, invalid): publishing it again is useless. */
export class RecordRejected extends PermanentError {
  override readonly name = 'RecordRejected'
}

/**
 * - `permanent`: dead letter at once
 * - `unavailable`: wait without limit
 * - `conflict`: lost a race inside the store; tried again within milliseconds
 * - `transient`: anything else; a bounded number of retries, then dead letter
 */
export type ErrorKind = 'permanent' | 'unavailable' | 'conflict' | 'transient'

/** A service's own knowledge of its stores' errors; `undefined` leaves it to the built-in rules. */
export type ErrorClassifier = (error: unknown) => ErrorKind | undefined

const UNAVAILABLE_CODES = new Set<unknown>([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  // The MariaDB connector and server: pool exhausted, connection lost, shutdown, too many connections, read-only.
  'ER_GET_CONNECTION_TIMEOUT',
  'ER_CONNECTION_TIMEOUT',
  'ER_SOCKET_UNEXPECTED_CLOSE',
  'ER_SOCKET_TIMEOUT',
  'ER_CMD_CONNECTION_CLOSED',
  'ER_CONNECTION_ALREADY_CLOSED',
  'ER_POOL_ALREADY_CLOSED',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_CON_COUNT_ERROR',
  'ER_OPTION_PREVENTS_STATEMENT',
  // Prisma: cannot reach, timed out, connection closed, pool timed out.
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
  'P2028',
  // The same of the connector as Prisma's driver adapter passes them on: by number, under `meta`.
  45001,
  45009,
  45012,
  45013,
  45019,
  45026,
  45027,
  45028,
  45035,
  45037,
  45039,
  45042,
  1040,
  1053,
  1290,
  1927,
])

const UNAVAILABLE_NAMES = new Set<unknown>([
  'UnavailableError',
  'KafkaUnavailable',
  // What service-kit and the mysql package make of an outage. Its cause may be no more than "no answer in time".
  'StoreUnavailable',
  'MongoServerSelectionError',
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoPoolClearedError',
  'MongooseServerSelectionError',
  'MaxRetriesPerRequestError',
])

/** `kind` of the errors that Prisma's driver adapters throw. */
const UNAVAILABLE_KINDS = new Set<unknown>([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
])

const CONFLICT_CODES = new Set<unknown>([
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'P2034',
  1205,
  1213,
  // MongoDB's WriteConflict, and what servers compatible with it say of a race for one secondary key.
  112,
  16908292,
])
const CONFLICT_KINDS = new Set<unknown>(['TransactionWriteConflict'])

/** Says what to do about an error, looking through `cause` because clients wrap what happened. */
export function classifyError(error: unknown, classifier?: ErrorClassifier): ErrorKind {
  for (let current = error, depth = 0; isObject(current) && depth < 6; current = innerOf(current), depth++) {
    const kind = classifier?.(current) ?? classifyOne(current)
    if (kind !== undefined) return kind
  }
  return 'transient'
}

function classifyOne(error: Record<string, unknown>): ErrorKind | undefined {
  if (error instanceof PermanentError) return 'permanent'
  if (UNAVAILABLE_NAMES.has(error.name) || UNAVAILABLE_CODES.has(error.code)) return 'unavailable'
  if (UNAVAILABLE_KINDS.has(error.kind)) return 'unavailable'
  if (CONFLICT_CODES.has(error.code) || CONFLICT_KINDS.has(error.kind)) return 'conflict'
  return undefined
}

/** Prisma keeps what its driver adapter said of a raw statement under `meta`, not under `cause`. */
function innerOf(error: Record<string, unknown>): unknown {
  return error.cause ?? (isObject(error.meta) ? error.meta.driverAdapterError : undefined)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** One line fit for a header or a column: no stack, no SQL parameters, bounded. */
export function describeError(error: unknown): string {
  if (!isObject(error)) return String(error).slice(0, 300)
  // The connector's `message` carries the statement with its parameters: those are not for a header.
  const message = typeof error.sqlMessage === 'string' ? error.sqlMessage : error.message
  const firstLine = String(message ?? 'no message').split('\n', 1)[0] ?? ''
  return `${String(error.name ?? 'Error')}: ${firstLine}`.slice(0, 300)
}

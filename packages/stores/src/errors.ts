/**
 * A store or neighbor service did not respond: the HTTP layer responds with 503; a consumer retries and never
 * dead-letters the event.
 */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
  /** The error code visible to clients. */
  readonly code = 'UNAVAILABLE'
  readonly store: string

  /** @param store `mysql`, `mongodb`, `redis` or the name of a service. */
  constructor(store: string, cause?: unknown) {
    super(`${store} is unavailable`, cause === undefined ? undefined : { cause })
    this.store = store
  }
}

/**
 * - `unavailable`: an outage; retry for as long as it lasts
 * - `conflict`: lost a race inside the store (deadlock, write conflict); retry within milliseconds
 */
export type StoreErrorKind = 'unavailable' | 'conflict'

const UNAVAILABLE_CODES = new Set<unknown>([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  // MariaDB connector and server: pool exhausted, connection lost, shutdown, too many connections, read-only.
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
  // The connector's codes as Prisma's driver adapter reports them: by number, under `meta`.
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
  // MongoDB's WriteConflict, and the code of compatible servers for a race on one secondary key.
  112,
  16908292,
])
const CONFLICT_KINDS = new Set<unknown>(['TransactionWriteConflict'])

const MAX_DEPTH = 6

/**
 * Classifies an error of MySQL, MongoDB, Redis or a neighbor service; undefined for any other error.
 * Follows `cause`, because clients wrap the original error.
 */
export function classifyStoreError(error: unknown): StoreErrorKind | undefined {
  for (let current = error, depth = 0; isObject(current) && depth < MAX_DEPTH; depth++) {
    const kind = classifyOne(current)
    if (kind !== undefined) return kind
    // Prisma keeps the driver adapter's error of a raw statement under `meta`, not under `cause`.
    current = current.cause ?? (isObject(current.meta) ? current.meta.driverAdapterError : undefined)
  }
  return undefined
}

function classifyOne(error: Record<string, unknown>): StoreErrorKind | undefined {
  if (UNAVAILABLE_NAMES.has(error.name) || UNAVAILABLE_CODES.has(error.code)) return 'unavailable'
  if (UNAVAILABLE_KINDS.has(error.kind)) return 'unavailable'
  if (CONFLICT_CODES.has(error.code) || CONFLICT_KINDS.has(error.kind)) return 'conflict'
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

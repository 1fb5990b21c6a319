/** An event that can never be applied: dead-lettered immediately, without a retry. */
export class PermanentError extends Error {
  override readonly name: string = 'PermanentError'
}

/** Kafka did not acknowledge in time. The records may or may not be stored: publish them again. */
export class KafkaUnavailable extends Error {
  override readonly name = 'KafkaUnavailable'
}

/** Kafka permanently rejects this record (too large, invalid): do not publish it again. */
export class RecordRejected extends PermanentError {
  override readonly name = 'RecordRejected'
}

/**
 * - `permanent`: dead-letter immediately
 * - `unavailable`: retry without limit
 * - `conflict`: lost a race inside a store; retry within milliseconds
 * - `transient`: any other error; retry a bounded number of times, then dead-letter
 */
export type ErrorKind = 'permanent' | 'unavailable' | 'conflict' | 'transient'

/** Classifies the errors of a handler's stores; `undefined` leaves an error to the rules of this package. */
export type ErrorClassifier = (error: unknown) => ErrorKind | undefined

const MAX_DEPTH = 6

/** Returns how a consumer reacts to an error. Follows `cause`, because clients wrap the original error. */
export function classifyError(error: unknown, classifier?: ErrorClassifier): ErrorKind {
  for (let current = error, depth = 0; isObject(current) && depth < MAX_DEPTH; depth++) {
    if (current instanceof PermanentError) return 'permanent'
    if (current instanceof KafkaUnavailable) return 'unavailable'
    current = current.cause
  }
  return classifier?.(error) ?? 'transient'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Returns an error as one line for a header or a column: no stack, no SQL parameters, at most 300 characters. */
export function describeError(error: unknown): string {
  if (!isObject(error)) return String(error).slice(0, 300)
  // The connector's `message` contains the statement with its parameters, which must not reach a header.
  const message = typeof error.sqlMessage === 'string' ? error.sqlMessage : error.message
  const firstLine = String(message ?? 'no message').split('\n', 1)[0] ?? ''
  return `${String(error.name ?? 'Error')}: ${firstLine}`.slice(0, 300)
}

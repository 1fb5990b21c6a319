import { ApiProblem } from '@bigtech/client'

const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 30_000

/** Returns whether the server has decided: repeating the same request changes nothing. */
export function isRefusal(err: unknown): err is ApiProblem {
  return err instanceof ApiProblem && err.status < 500 && err.status !== 429 && err.status !== 401
}

/**
 * Returns the delay before the next attempt in milliseconds: exponential backoff with full jitter, after the
 * `Retry-After` of the server.
 *
 * @param failures earlier failures in a row
 */
export function retryDelayMs(err: unknown, failures: number): number {
  const asked = err instanceof ApiProblem ? (err.retryAfterSeconds ?? 0) * 1_000 : 0
  return asked + Math.random() * Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures)
}

/** Waits for `retryDelayMs`. */
export function pauseBeforeRetry(err: unknown, failures: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, retryDelayMs(err, failures)))
}

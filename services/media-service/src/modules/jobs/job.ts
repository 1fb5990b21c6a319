import { StoreUnavailable } from '@bigtech/service-kit'
import type { Tx } from '../../infrastructure/mysql.ts'

/** The kinds of jobs. Each kind has one handler (worker.ts). */
export const jobKinds = ['check_file', 'process_document', 'analyze_take'] as const
export type JobKind = (typeof jobKinds)[number]

/** A job as seen by the worker that holds its lease. */
export interface ClaimedJob {
  readonly id: string
  readonly kind: JobKind
  readonly subjectId: string
  readonly ownerId: number
  readonly requestId: string
  /** Counts from 1. */
  readonly attempt: number
  /** The fencing token: every write of the worker includes it, and is rejected after another lease was granted. */
  readonly leaseId: string
}

export interface NewJob {
  readonly kind: JobKind
  readonly subjectId: string
  readonly ownerId: number
  readonly requestId: string
  /** 0..9, lower comes first. */
  readonly priority?: number
}

/** Effects of the end, or a retry, of a job on its subject. */
export interface JobEffects {
  /** Changes caused by a failed or cancelled job. */
  onFailed(tx: Tx, subjectId: string, failure: JobFailure): Promise<unknown>
  /** Resets the subject for a retry. Returns false when it cannot be retried. Absent: jobs of this kind cannot. */
  onRetried?(tx: Tx, subjectId: string): Promise<boolean>
}

export const cancelled = () => new JobFailure('CANCELLED', 'The job was cancelled.')

/** Number of lost workers after which a job is not assigned again. */
export const MAX_LOSSES = 3
export const MAX_ATTEMPTS = 5
export const DEFAULT_PRIORITY = 5

const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 60_000

/** Returns the exponential backoff: 1 s, 2 s, 4 s ... at most one minute. */
export function retryDelayMs(attempt: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LAST_RETRY_MS)
}

/** The failure of a job, with a reason shown to users and operators. */
export class JobFailure extends Error {
  readonly code: string
  readonly detail: string
  /** Whether a retry may succeed: an outage, not a damaged file. */
  readonly isRetryable: boolean
  /** A store outage: the job waits without a limit of attempts. */
  readonly isOutage: boolean

  constructor(
    code: string,
    detail: string,
    options: { isRetryable?: boolean; isOutage?: boolean; cause?: unknown } = {},
  ) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'JobFailure'
    this.code = code
    this.detail = detail
    this.isOutage = options.isOutage ?? false
    this.isRetryable = options.isRetryable ?? this.isOutage
  }
}

/** Converts any error to a job failure: unexpected errors are retried, outages without limit. */
export function toFailure(err: unknown): JobFailure {
  if (err instanceof JobFailure) return err
  if (err instanceof StoreUnavailable)
    return new JobFailure('STORE_UNAVAILABLE', `${err.store} does not respond.`, {
      isOutage: true,
      cause: err,
    })
  return new JobFailure('UNEXPECTED', 'Something went wrong on our side.', { isRetryable: true, cause: err })
}

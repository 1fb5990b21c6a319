import { StoreUnavailable } from '@bigtech/service-kit'
import type { Tx } from '../../infrastructure/mysql.ts'

/** What workers do. Each kind has one handler (worker.ts). */
export type JobKind = 'check_file' | 'process_document' | 'analyze_take'

/** A job as the worker that holds its lease knows it. */
export interface ClaimedJob {
  readonly id: string
  readonly kind: JobKind
  readonly subjectId: string
  readonly ownerId: number
  readonly requestId: string
  /** Counts from 1. */
  readonly attempt: number
  /** The fencing token: every write of the worker carries it, and none is taken once another lease was given. */
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

/** What the end of a job, or another try, means for what it is about. */
export interface JobEffects {
  /** What the end of a job that failed or was cancelled changes. */
  onFailed(tx: Tx, subjectId: string, failure: JobFailure): Promise<unknown>
  /** Makes the subject wait again. False: it cannot be tried again. Absent: no job of this kind can. */
  onRetried?(tx: Tx, subjectId: string): Promise<boolean>
}

export const cancelled = () => new JobFailure('CANCELLED', 'The job was cancelled.')

/** A job that has killed so many workers is not given to another one. */
export const MAX_LOSSES = 3
export const MAX_ATTEMPTS = 5
export const DEFAULT_PRIORITY = 5

const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 60_000

/** Exponential backoff: 1 s, 2 s, 4 s ... at most one minute. */
export function retryDelayMs(attempt: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LAST_RETRY_MS)
}

/** A job failed for a reason that users and operators are told. */
export class JobFailure extends Error {
  readonly code: string
  readonly detail: string
  /** Whether another attempt may go better: an outage, not a broken file. */
  readonly isRetryable: boolean
  /** A store is away: however many attempts that takes, the job waits. */
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

/** What any error means for a job: those that we did not foresee are tried again, an outage without end. */
export function toFailure(err: unknown): JobFailure {
  if (err instanceof JobFailure) return err
  if (err instanceof StoreUnavailable)
    return new JobFailure('STORE_UNAVAILABLE', `${err.store} does not answer.`, {
      isOutage: true,
      cause: err,
    })
  return new JobFailure('UNEXPECTED', 'Something went wrong on our side.', { isRetryable: true, cause: err })
}

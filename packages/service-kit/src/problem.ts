import {
  type FailureEnvelope,
  type ProblemBody,
  type ProblemCode,
  problems,
  problemType,
} from '@bigtech/contracts'

export interface ProblemOptions {
  /** What is wrong with this request, for the client. Never contains internals. */
  readonly detail?: string
  readonly errors?: readonly { field: string; message: string }[]
  readonly retryAfterSeconds?: number
  /** The challenge that completes a sign-in with a second factor. */
  readonly challenge?: ProblemBody['challenge']
  /** For the log only. */
  readonly cause?: unknown
}

/** An expected failure with a stable code; the error handler converts it to problem+json. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly detail: string | undefined
  readonly errors: ProblemOptions['errors']
  readonly retryAfterSeconds: number | undefined
  readonly challenge: ProblemBody['challenge']

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    const definition = problems[code]
    super(
      options.detail ?? definition.title,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.name = 'Problem'
    this.code = code
    this.status = definition.status
    this.detail = options.detail
    this.errors = options.errors
    this.challenge = options.challenge
    this.retryAfterSeconds = options.retryAfterSeconds ?? defaultRetryAfter(definition.status)
  }
}

function defaultRetryAfter(status: number): number | undefined {
  if (status === 429) return 60
  return status === 503 ? 2 : undefined
}

/** Returns the default `detail`, because clients display it and it must always be present. */
function detailOf({ code, errors = [] }: Problem): string {
  const [first] = errors
  return first ? `${first.field}: ${first.message}` : problems[code].title
}

/** Returns the RFC 9457 body of a problem. */
export function problemBodyOf(problem: Problem, instance: string, requestId: string): ProblemBody {
  return {
    type: problemType(problem.code),
    title: problems[problem.code].title,
    status: problem.status,
    detail: problem.detail ?? detailOf(problem),
    instance,
    code: problem.code,
    request_id: requestId,
    ...(problem.errors === undefined ? {} : { errors: [...problem.errors] }),
    ...(problem.challenge === undefined ? {} : { challenge: problem.challenge }),
  }
}

/** Returns the problem in the envelope of the documents API. */
export function failureEnvelopeOf(problem: Problem, requestId: string): FailureEnvelope {
  return {
    success: false,
    message: problem.detail ?? detailOf(problem),
    error_code: problem.code,
    details: {
      status: problem.status,
      request_id: requestId,
      ...(problem.errors === undefined ? {} : { errors: [...problem.errors] }),
    },
  }
}

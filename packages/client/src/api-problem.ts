import type { ProblemCode } from './operations.ts'

/** The body of a refusal (RFC 9457). */
export interface ProblemBody {
  readonly type?: string | undefined
  readonly title: string
  readonly status: number
  readonly code: string
  readonly request_id: string
  readonly detail?: string | undefined
  readonly errors?: readonly { field: string; message: string }[] | undefined
  readonly challenge?: SignInChallenge | undefined
}

/** The challenge of a sign-in refused with `SECOND_FACTOR_REQUIRED`. */
export interface SignInChallenge {
  readonly token: string
  readonly methods: readonly ('code' | 'passkey')[]
  /** In seconds. */
  readonly expires_in: number
}

/** A refusal of the API. Switch on `code`; docs/errors.md has the list, and a newer server may return more. */
export class ApiProblem extends Error {
  readonly code: ProblemCode | (string & {})
  readonly status: number
  readonly requestId: string
  readonly errors: readonly { field: string; message: string }[]
  /** Seconds to wait before another attempt, if the server sent them. */
  readonly retryAfterSeconds: number | undefined
  readonly challenge: SignInChallenge | undefined

  constructor(body: ProblemBody, retryAfterSeconds?: number) {
    super(body.detail ?? body.title)
    this.name = 'ApiProblem'
    this.code = body.code
    this.status = body.status
    this.requestId = body.request_id
    this.errors = body.errors ?? []
    this.retryAfterSeconds = retryAfterSeconds
    this.challenge = body.challenge
  }
}

/** Returns whether an error is a refusal with one of these codes. */
export function isProblem<const Code extends ProblemCode>(
  err: unknown,
  ...codes: readonly Code[]
): err is ApiProblem & { readonly code: Code } {
  return err instanceof ApiProblem && (codes as readonly string[]).includes(err.code)
}

/** The server is unreachable, or its response was lost. */
export class NetworkFailure extends Error {
  constructor(cause: unknown) {
    super('The server could not be reached.', { cause })
    this.name = 'NetworkFailure'
  }
}

import type { ProblemBody } from '@bigtech/contracts'

/** A failure that the API answered. Switch on `code`; the list is in docs/errors.md. */
export class ApiProblem extends Error {
  readonly code: string
  readonly status: number
  readonly requestId: string
  readonly errors: readonly { field: string; message: string }[]
  /** Seconds to wait before another attempt, when the server said so. */
  readonly retryAfterSeconds: number | undefined

  constructor(body: ProblemBody, retryAfterSeconds?: number) {
    super(body.detail ?? body.title)
    this.name = 'ApiProblem'
    this.code = body.code
    this.status = body.status
    this.requestId = body.request_id
    this.errors = body.errors ?? []
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** The server could not be reached, or its answer did not arrive. */
export class NetworkFailure extends Error {
  constructor(cause: unknown) {
    super('The server could not be reached.', { cause })
    this.name = 'NetworkFailure'
  }
}

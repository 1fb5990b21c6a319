import { ApiProblem, NetworkFailure, type ProblemBody } from './api-problem.ts'
import { type AnswerOf, type CallOf, isRaw, type Operation, targetOf } from './operation.ts'

export interface HttpOptions {
  /** Base URL of the API, e.g. `http://localhost:8000/api`. */
  readonly baseUrl: string
  readonly fetch?: typeof fetch
  readonly timeoutMs?: number
}

export interface CallOptions {
  readonly token?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** Calls operations over HTTP. */
export class Http {
  readonly baseUrl: string
  readonly fetch: typeof fetch
  readonly #timeoutMs: number

  constructor(options: HttpOptions) {
    this.baseUrl = options.baseUrl.replace(/\/$/, '')
    this.fetch = options.fetch ?? globalThis.fetch.bind(globalThis)
    this.#timeoutMs = options.timeoutMs ?? 15_000
  }

  /** Calls an operation. @throws ApiProblem when the server refuses; NetworkFailure without a response */
  async call<const Op extends Operation>(
    operation: Op,
    input: CallOf<Op>,
    options: CallOptions = {},
  ): Promise<AnswerOf<Op>> {
    const response = await this.#send(operation, input as Parts, options)
    if (!response.ok) throw await problemOf(response)
    if (isRaw(operation)) return response as unknown as AnswerOf<Op>
    if (isEmpty(response)) return undefined as AnswerOf<Op>
    const body = await bodyOf(response)
    const { success } = operation as { success?: { schema?: { parse(value: unknown): unknown } } }
    return (success?.schema ? success.schema.parse(body) : body) as AnswerOf<Op>
  }

  async #send(operation: Operation, input: Parts, { token, headers }: CallOptions): Promise<Response> {
    const isForm = operation.bodyType === 'form'
    try {
      return await this.fetch(this.baseUrl + targetOf(operation, input), {
        method: operation.method,
        headers: {
          accept: isRaw(operation) ? '*/*' : 'application/json',
          ...(input.body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        // A raw response may take as long as its reader.
        ...(operation.isRaw ? {} : { signal: AbortSignal.timeout(this.#timeoutMs) }),
        ...(input.body === undefined
          ? {}
          : {
              body: isForm
                ? new URLSearchParams(input.body as Record<string, string>)
                : JSON.stringify(input.body),
            }),
      })
    } catch (err) {
      throw new NetworkFailure(err)
    }
  }
}

interface Parts {
  readonly params?: unknown
  readonly query?: unknown
  readonly body?: unknown
}

/** Returns whether a response has no body: 204, or 202 for background work. */
function isEmpty({ status, headers }: Response): boolean {
  return status === 204 || (status === 202 && headers.get('content-length') === '0')
}

/** Reads the body. A truncated response counts as lost: the operation may have been executed. */
async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch (err) {
    throw new NetworkFailure(err)
  }
}

/** Returns the refusal of a response, which keeps its status even if it is not a problem document. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const retryAfter = Number(response.headers.get('retry-after')) || undefined
  const body: unknown = await response.json().catch(() => undefined)
  if (isProblemBody(body)) return new ApiProblem(body, retryAfter)
  const { status, statusText } = response
  if (isFailure(body)) {
    const { request_id, errors } = body.details
    return new ApiProblem(
      { title: body.message, status, code: body.error_code, request_id, detail: body.message, errors },
      retryAfter,
    )
  }
  const title = statusText || `HTTP ${status}`
  const request_id = response.headers.get('x-request-id') ?? ''
  return new ApiProblem({ title, status, code: 'UNKNOWN', request_id }, retryAfter)
}

function isProblemBody(body: unknown): body is ProblemBody {
  const { title, status, code, request_id } = (body ?? {}) as Record<string, unknown>
  return (
    typeof title === 'string' &&
    typeof status === 'number' &&
    typeof code === 'string' &&
    typeof request_id === 'string'
  )
}

/** The envelope of failed documents operations. */
interface Failure {
  readonly success: false
  readonly message: string
  readonly error_code: string
  readonly details: { readonly request_id: string; readonly errors?: ProblemBody['errors'] }
}

function isFailure(body: unknown): body is Failure {
  const { success, message, error_code, details } = (body ?? {}) as Record<string, unknown>
  return (
    success === false &&
    typeof message === 'string' &&
    typeof error_code === 'string' &&
    typeof details === 'object' &&
    details !== null
  )
}

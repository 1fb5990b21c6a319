import {
  problemBody,
  type RouteCall,
  type RouteContract,
  type RouteResponse,
  requestTarget,
} from '@bigtech/contracts'
import { ApiProblem, NetworkFailure } from './api-problem.ts'

export interface HttpOptions {
  /** Where the API is, e.g. `http://localhost:8000/api`. */
  readonly baseUrl: string
  readonly fetch?: typeof fetch
  readonly timeoutMs?: number
}

export interface CallOptions {
  readonly token?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** One operation over HTTP, by its contract. */
export class Http {
  readonly baseUrl: string
  readonly fetch: typeof fetch
  readonly #timeoutMs: number

  constructor(options: HttpOptions) {
    this.baseUrl = options.baseUrl.replace(/\/$/, '')
    this.fetch = options.fetch ?? globalThis.fetch.bind(globalThis)
    this.#timeoutMs = options.timeoutMs ?? 15_000
  }

  /** @throws ApiProblem when the server refuses; NetworkFailure when there is no answer. */
  async call<const Contract extends RouteContract>(
    contract: Contract,
    input: RouteCall<Contract>,
    options: CallOptions = {},
  ): Promise<RouteResponse<Contract>> {
    const response = await this.#send(contract, input, options)
    if (!response.ok) throw await problemOf(response)
    if (!contract.success.schema) return undefined as RouteResponse<Contract>
    return contract.success.schema.parse(await bodyOf(response)) as RouteResponse<Contract>
  }

  async #send(
    contract: RouteContract,
    input: { params?: unknown; query?: unknown; body?: unknown },
    { token, headers }: CallOptions,
  ): Promise<Response> {
    try {
      return await this.fetch(this.baseUrl + requestTarget(contract, input), {
        method: contract.method,
        headers: {
          accept: 'application/json',
          ...(input.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        signal: AbortSignal.timeout(this.#timeoutMs),
        ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
      })
    } catch (err) {
      throw new NetworkFailure(err)
    }
  }
}

/** An answer that breaks off is no answer: what was asked for may have happened. */
async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch (err) {
    throw new NetworkFailure(err)
  }
}

/** The failure that an answer carries; one that is no problem document still has its status. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const retryAfter = Number(response.headers.get('retry-after')) || undefined
  const parsed = problemBody.safeParse(await response.json().catch(() => undefined))
  if (parsed.success) return new ApiProblem(parsed.data, retryAfter)
  const { status, statusText } = response
  const body = { type: 'about:blank', title: statusText || `HTTP ${status}`, status, code: 'UNKNOWN' }
  return new ApiProblem({ ...body, request_id: response.headers.get('x-request-id') ?? '' }, retryAfter)
}

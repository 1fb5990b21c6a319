import type { Readable } from 'node:stream'
import { type RouteCall, type RouteContract, type RouteResponse, requestTarget } from '@bigtech/contracts'
import { StoreUnavailable } from '@bigtech/stores'
import { context, propagation } from '@opentelemetry/api'
import { type CircuitBreakerPolicy, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel'
import { Agent, type Dispatcher, FormData, request } from 'undici'
import { Problem } from './problem.ts'

export interface ServiceClientOptions {
  /** Name of the neighbor service, for logs and errors. */
  readonly service: string
  readonly baseUrl: string
  readonly timeoutMs?: number
  /** False disables the circuit breaker: every call is tried. */
  readonly breaker?: boolean
}

export interface CallIdentity {
  readonly requestId: string
  /** Access token of the user on whose behalf the neighbor is called; it verifies the token itself. */
  readonly bearer?: string
}

/** The form of an upload; its fields precede the file. */
export interface FileUpload {
  readonly fields?: Readonly<Record<string, string>>
  readonly name: string
  readonly mime: string
  readonly bytes: Uint8Array
}

const BREAK_AFTER_FAILURES = 5
const HALF_OPEN_AFTER_MS = 5_000
/** Time limit of a streamed response; a slower reader is cut off. */
const OPEN_MS = 10 * 60_000

/**
 * Calls a neighbor service by its contract. Every call has a deadline; after 5 consecutive failures calls
 * fail immediately with `StoreUnavailable` for 5 s, so that a slow neighbor does not slow us down.
 */
export class ServiceClient {
  readonly #options: Required<ServiceClientOptions>
  readonly #agent: Agent
  readonly #breaker: CircuitBreakerPolicy

  constructor(options: ServiceClientOptions) {
    this.#options = { timeoutMs: 1_500, breaker: true, ...options }
    const { timeoutMs } = this.#options
    this.#agent = new Agent({
      connect: { timeout: timeoutMs },
      // Each call has a deadline of its own; these would wake the process twice a second during a call.
      headersTimeout: 0,
      bodyTimeout: 0,
      connections: 32,
    })
    this.#breaker = circuitBreaker(
      // No response, an invalid one or 5xx. A neighbor that rejects a request works.
      handleWhen((err) => !(err instanceof Problem)),
      { halfOpenAfter: HALF_OPEN_AFTER_MS, breaker: new ConsecutiveBreaker(BREAK_AFTER_FAILURES) },
    )
  }

  /** Calls an operation. @throws StoreUnavailable when there is no response or a 5xx; Problem when it is rejected. */
  async call<const Contract extends RouteContract>(
    contract: Contract,
    input: RouteCall<Contract>,
    identity: CallIdentity,
  ): Promise<RouteResponse<Contract>> {
    return this.#guarded(() => this.#send(contract, input, identity))
  }

  /** Calls an operation that takes `multipart/form-data` with one file. @throws as `call` does */
  async upload<const Contract extends RouteContract>(
    contract: Contract,
    { fields = {}, name, mime, bytes }: FileUpload,
    identity: CallIdentity,
  ): Promise<RouteResponse<Contract>> {
    const form = new FormData()
    for (const [field, value] of Object.entries(fields)) form.append(field, value)
    form.append('file', new Blob([Uint8Array.from(bytes)], { type: mime }), name)
    return this.#guarded(() => this.#send(contract, {} as RouteCall<Contract>, identity, form))
  }

  /**
   * Opens a response body as a stream, for a body too large to buffer. It may take `OPEN_MS` if it is never
   * silent for longer than `timeoutMs`, and must be read or destroyed. @throws as `call` does
   */
  async open<const Contract extends RouteContract>(
    contract: Contract,
    input: RouteCall<Contract>,
    identity: CallIdentity,
  ): Promise<Readable> {
    const { timeoutMs } = this.#options
    const silence = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs }
    const { body } = await this.#guarded(() =>
      this.#ask(contract, input, identity, { signal: AbortSignal.timeout(OPEN_MS), ...silence }),
    )
    // The reader receives the error; a failure before reading must not crash the process.
    body.on('error', () => undefined)
    return body
  }

  /** Waits for the calls in flight. */
  async close(): Promise<void> {
    await this.#agent.close()
  }

  /** Ends the calls in flight. */
  async destroy(): Promise<void> {
    await this.#agent.destroy()
  }

  async #guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await (this.#options.breaker ? this.#breaker.execute(work) : work())
    } catch (err) {
      if (err instanceof Problem || err instanceof StoreUnavailable) throw err
      throw new StoreUnavailable(this.#options.service, err)
    }
  }

  async #send<Contract extends RouteContract>(
    contract: Contract,
    input: RouteCall<Contract>,
    identity: CallIdentity,
    form?: FormData,
  ): Promise<RouteResponse<Contract>> {
    const signal = AbortSignal.timeout(this.#options.timeoutMs)
    const { body } = await this.#ask(contract, input, identity, { signal }, form)
    if (!contract.success.schema) {
      await body.dump()
      return undefined as RouteResponse<Contract>
    }
    return contract.success.schema.parse(await body.json()) as RouteResponse<Contract>
  }

  /** Sends the request and returns a successful response, whose body is still unread. */
  async #ask<Contract extends RouteContract>(
    contract: Contract,
    input: RouteCall<Contract>,
    { requestId, bearer }: CallIdentity,
    limits: Pick<Dispatcher.RequestOptions, 'signal' | 'headersTimeout' | 'bodyTimeout'>,
    form?: FormData,
  ): Promise<Dispatcher.ResponseData> {
    const { service, baseUrl } = this.#options
    const headers: Record<string, string> = { 'x-request-id': requestId, accept: 'application/json' }
    if (bearer) headers.authorization = `Bearer ${bearer}`
    if (input.body !== undefined) headers['content-type'] = 'application/json'
    propagation.inject(context.active(), headers)
    const response = await request(new URL(requestTarget(contract, input), baseUrl), {
      method: contract.method,
      headers,
      dispatcher: this.#agent,
      ...limits,
      ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
      ...(form && { body: form }),
    })
    if (response.statusCode >= 500) {
      await response.body.dump()
      throw new StoreUnavailable(service, new Error(`${service} responded with ${response.statusCode}`))
    }
    if (response.statusCode >= 400) {
      const cause = new Error(`${service} responded with ${response.statusCode} to ${contract.operationId}`)
      throw await refusalOf(contract, response, cause)
    }
    return response
  }
}

/** Returns the neighbor's code and detail if the contract lists the code; otherwise a generic rejection. */
async function refusalOf(
  contract: RouteContract,
  { statusCode, headers, body }: Dispatcher.ResponseData,
  cause: Error,
): Promise<Problem> {
  const problem = (await body.json().catch(() => undefined)) as { code?: string; detail?: string } | undefined
  if (statusCode === 429)
    return new Problem('RATE_LIMITED', { retryAfterSeconds: Number(headers['retry-after']) || 60, cause })
  if (statusCode === 401) return new Problem('TOKEN_INVALID', { cause })
  const code = contract.problems?.find((known) => known === problem?.code)
  const detail = typeof problem?.detail === 'string' ? { detail: problem.detail } : {}
  return code ? new Problem(code, { cause, ...detail }) : new Problem('NOT_FOUND', { cause })
}

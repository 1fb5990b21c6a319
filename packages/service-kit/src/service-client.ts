import { type RouteCall, type RouteContract, type RouteResponse, requestTarget } from '@bigtech/contracts'
import { context, propagation } from '@opentelemetry/api'
import { type CircuitBreakerPolicy, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel'
import { Agent, request } from 'undici'
import { Problem, StoreUnavailable } from './problem.ts'

export interface ServiceClientOptions {
  /** The neighbour's name, for logs and errors. */
  readonly service: string
  readonly baseUrl: string
  readonly timeoutMs?: number
}

export interface CallIdentity {
  readonly requestId: string
  /** The user in whose name the neighbour is asked; it checks the token itself. */
  readonly bearer?: string
}

const BREAK_AFTER_FAILURES = 5
const HALF_OPEN_AFTER_MS = 5_000

/**
 * Asks a neighbour over REST, by its contract. Bounded in time; after 5 failures in a row it
 * answers `StoreUnavailable` at once for 5 s, so that a slow neighbour does not make us slow.
 */
export class ServiceClient {
  readonly #options: Required<ServiceClientOptions>
  readonly #agent: Agent
  readonly #breaker: CircuitBreakerPolicy

  constructor(options: ServiceClientOptions) {
    this.#options = { timeoutMs: 1_500, ...options }
    const { timeoutMs } = this.#options
    this.#agent = new Agent({
      connect: { timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connections: 32,
    })
    this.#breaker = circuitBreaker(
      // No answer, a broken one or 5xx; a neighbour that refuses works.
      handleWhen((err) => !(err instanceof Problem) || err instanceof StoreUnavailable),
      { halfOpenAfter: HALF_OPEN_AFTER_MS, breaker: new ConsecutiveBreaker(BREAK_AFTER_FAILURES) },
    )
  }

  /** @throws StoreUnavailable when it does not answer or answers 5xx; Problem when it refuses. */
  async call<const Contract extends RouteContract>(
    contract: Contract,
    input: RouteCall<Contract>,
    identity: CallIdentity,
  ): Promise<RouteResponse<Contract>> {
    try {
      return await this.#breaker.execute(() => this.#send(contract, input, identity))
    } catch (err) {
      if (err instanceof Problem) throw err
      throw new StoreUnavailable(this.#options.service, err)
    }
  }

  async close(): Promise<void> {
    await this.#agent.close()
  }

  async #send<Contract extends RouteContract>(
    contract: Contract,
    input: RouteCall<Contract>,
    { requestId, bearer }: CallIdentity,
  ): Promise<RouteResponse<Contract>> {
    const { service, baseUrl, timeoutMs } = this.#options
    const headers: Record<string, string> = { 'x-request-id': requestId, accept: 'application/json' }
    if (bearer) headers.authorization = `Bearer ${bearer}`
    if (input.body !== undefined) headers['content-type'] = 'application/json'
    propagation.inject(context.active(), headers)
    const response = await request(new URL(requestTarget(contract, input), baseUrl), {
      method: contract.method,
      headers,
      dispatcher: this.#agent,
      signal: AbortSignal.timeout(timeoutMs),
      ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
    })
    if (response.statusCode >= 500) {
      await response.body.dump()
      throw new StoreUnavailable(service, new Error(`${service} answered ${response.statusCode}`))
    }
    if (response.statusCode >= 400) {
      await response.body.dump()
      throw new Problem(response.statusCode === 401 ? 'TOKEN_INVALID' : 'NOT_FOUND', {
        cause: new Error(`${service} answered ${response.statusCode} to ${contract.operationId}`),
      })
    }
    if (!contract.success.schema) {
      await response.body.dump()
      return undefined as RouteResponse<Contract>
    }
    return contract.success.schema.parse(await response.body.json()) as RouteResponse<Contract>
  }
}

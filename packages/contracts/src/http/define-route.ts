import type { z } from 'zod'
import type { ProblemCode } from '../problems.ts'

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
/**
 * `bearer`: requires an access token. `public`: no authentication. `ticket`: a bearer token or a single-use
 * stream ticket.
 * `operator`: the installation's operator token; such a path is not reachable through the gateway.
 */
export type RouteAuth = 'bearer' | 'public' | 'ticket' | 'operator'

/** The roles of users, in ascending order; each role includes the rights of the previous roles. */
export const userRoles = ['user', 'moderator', 'operator'] as const
export type UserRole = (typeof userRoles)[number]

/** The contract of one operation: validation, serialization, documentation and types of both sides. */
export interface RouteContract {
  /** Also the name of the use case and of its tests. */
  readonly operationId: string
  readonly method: HttpMethod
  /** With `:name` parameters, without the gateway's `/api` prefix. */
  readonly path: string
  /** The path carries a secret (a token): logs and problem details contain its pattern instead. */
  readonly secretPath?: boolean
  /** Called continuously by other services: successful requests are logged at `debug` only, and not timed, because they may wait. */
  readonly isPolled?: boolean
  readonly tag: string
  readonly summary: string
  readonly description?: string
  /** Deprecated since the first day (`2026-01-27`), removed after the second at the earliest; also sent as headers. */
  readonly deprecated?: { readonly since: string; readonly sunset: string; readonly instead: string }
  /** Defaults to `bearer`: an operation is never public by omission. */
  readonly auth?: RouteAuth
  /** The lowest role the access token must carry. */
  readonly role?: Exclude<UserRole, 'user'>
  readonly params?: z.ZodObject
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  /**
   * `form`: application/x-www-form-urlencoded in addition to JSON. `multipart`: multipart/form-data, which
   * the handler reads as a stream, so there is no `body` schema.
   */
  readonly bodyType?: 'json' | 'form' | 'multipart'
  readonly bodyExample?: unknown
  readonly success: {
    readonly status: 200 | 201 | 202 | 204
    readonly description: string
    /** Absent for 204 and for streams. */
    readonly schema?: z.ZodType
    readonly example?: unknown
    readonly contentType?: string
  }
  /** The format of failures: problem+json, or the `envelope` of the documents API. */
  readonly errors?: 'envelope'
  /** Error codes specific to the operation; the common codes (422, 401, 503 ...) are implied. */
  readonly problems?: readonly ProblemCode[]
}

/** Declares a contract, preserving its literal types. */
export function defineRoute<const Contract extends RouteContract>(contract: Contract): Contract {
  return contract
}

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined
type Input<Schema> = Schema extends z.ZodType ? z.input<Schema> : undefined

/** The validated request that a handler receives. */
export interface RouteRequest<Contract extends RouteContract> {
  readonly params: Output<Contract['params']>
  readonly query: Output<Contract['query']>
  readonly body: Output<Contract['body']>
}

/** The return value of a handler, before serialization. */
export type RouteResult<Contract extends RouteContract> = Contract['success'] extends {
  schema: infer Schema extends z.ZodType
}
  ? z.input<Schema>
  : undefined

/** The arguments of a call. */
export type RouteCall<Contract extends RouteContract> = (Contract['params'] extends z.ZodType
  ? { params: Input<Contract['params']> }
  : { params?: undefined }) &
  (Contract['query'] extends z.ZodType ? { query?: Input<Contract['query']> } : { query?: undefined }) &
  (Contract['body'] extends z.ZodType ? { body: Input<Contract['body']> } : { body?: undefined })

/** The parsed response of a call. */
export type RouteResponse<Contract extends RouteContract> = Contract['success'] extends {
  schema: infer Schema extends z.ZodType
}
  ? z.output<Schema>
  : undefined

/** Returns the path and query of a call: `/rooms/7?limit=20`. Omits absent values. */
export function requestTarget(contract: RouteContract, input: { params?: unknown; query?: unknown }): string {
  const params = (input.params ?? {}) as Record<string, unknown>
  const path = contract.path.replace(/:([A-Za-z_]+)/g, (_whole, name: string) =>
    encodeURIComponent(String(params[name])),
  )
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries((input.query ?? {}) as Record<string, unknown>)) {
    if (value !== undefined && value !== null) query.set(name, String(value))
  }
  const text = query.toString()
  return text ? `${path}?${text}` : path
}

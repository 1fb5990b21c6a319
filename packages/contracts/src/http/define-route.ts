import type { z } from 'zod'
import type { ProblemCode } from '../problems.ts'

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
/**
 * `bearer`: an access token. `public`: anybody. `ticket`: a bearer token or a single-use stream ticket.
 * `operator`: the installation's operator token; such a path is not reachable through the gateway.
 */
export type RouteAuth = 'bearer' | 'public' | 'ticket' | 'operator'

/** What a user may do besides their own business; each role includes the ones before it. */
export const userRoles = ['user', 'moderator', 'operator'] as const
export type UserRole = (typeof userRoles)[number]

/** One operation: what validates, serialises, documents and types both of its sides. */
export interface RouteContract {
  /** Also the name of the use case and the title of its tests. */
  readonly operationId: string
  readonly method: HttpMethod
  /** With `:name` parameters; without the gateway's `/api`. */
  readonly path: string
  /** The path carries a secret (a token): logs and answers name its pattern instead. */
  readonly secretPath?: boolean
  /** Asked all day by other services: successful requests are logged at `debug` only. */
  readonly isPolled?: boolean
  readonly tag: string
  readonly summary: string
  readonly description?: string
  /** Days (`2026-01-27`) since which it is deprecated and after which it may be gone; sent as headers as well. */
  readonly deprecated?: { readonly since: string; readonly sunset: string; readonly instead: string }
  /** `bearer` unless it says otherwise: an operation is never open by omission. */
  readonly auth?: RouteAuth
  /** The least role that the access token must carry. */
  readonly role?: Exclude<UserRole, 'user'>
  readonly params?: z.ZodObject
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  /**
   * `form`: application/x-www-form-urlencoded, besides JSON. `multipart`: multipart/form-data, which the handler reads
   * as a stream, so there is no `body` to validate.
   */
  readonly bodyType?: 'json' | 'form' | 'multipart'
  readonly bodyExample?: unknown
  readonly success: {
    readonly status: 200 | 201 | 202 | 204
    readonly description: string
    /** None for 204 and for streams. */
    readonly schema?: z.ZodType
    readonly example?: unknown
    readonly contentType?: string
  }
  /** How failures look: problem+json, unless it is the `envelope` of documents. */
  readonly errors?: 'envelope'
  /** The codes of its own; those every operation can answer (422, 401, 503 ...) are understood. */
  readonly problems?: readonly ProblemCode[]
}

/** Names a contract and keeps its literal types. */
export function defineRoute<const Contract extends RouteContract>(contract: Contract): Contract {
  return contract
}

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined
type Input<Schema> = Schema extends z.ZodType ? z.input<Schema> : undefined

/** What a handler receives, after validation. */
export interface RouteRequest<Contract extends RouteContract> {
  readonly params: Output<Contract['params']>
  readonly query: Output<Contract['query']>
  readonly body: Output<Contract['body']>
}

/** What a handler returns, before serialisation. */
export type RouteResult<Contract extends RouteContract> = Contract['success'] extends {
  schema: infer Schema extends z.ZodType
}
  ? z.input<Schema>
  : undefined

/** What a caller passes. */
export type RouteCall<Contract extends RouteContract> = (Contract['params'] extends z.ZodType
  ? { params: Input<Contract['params']> }
  : { params?: undefined }) &
  (Contract['query'] extends z.ZodType ? { query?: Input<Contract['query']> } : { query?: undefined }) &
  (Contract['body'] extends z.ZodType ? { body: Input<Contract['body']> } : { body?: undefined })

/** What a caller gets. */
export type RouteResponse<Contract extends RouteContract> = Contract['success'] extends {
  schema: infer Schema extends z.ZodType
}
  ? z.output<Schema>
  : undefined

/** The path and query of a call: `/rooms/7?limit=20`. Absent values are left out. */
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

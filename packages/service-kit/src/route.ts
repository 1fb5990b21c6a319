import {
  type RouteContract,
  type RouteRequest,
  type RouteResult,
  type UserRole,
  userRoles,
} from '@bigtech/contracts'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { z } from 'zod'
import type { Actor, AuthenticatedContext, Context } from './context.ts'
import { serializerOf } from './json-schema.ts'
import type { EndTimer } from './metrics.ts'
import { Problem } from './problem.ts'
import { validationProblem } from './validation.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    contract?: RouteContract
  }
  interface FastifyInstance {
    /** Patterns of routes whose path contains a secret. */
    secretPaths: string[]
    /** Starts the timer of a use case. */
    timeUseCase: (usecase: string) => EndTimer
  }
}

/** Shorter than the gateway's read timeout (10 s): the caller gets our 503, not a 504 of the gateway. */
const REQUEST_DEADLINE_MS = 8_000

type ContextFor<Contract extends RouteContract> = Contract extends { auth: 'public' | 'ticket' | 'operator' }
  ? Context
  : AuthenticatedContext

export type RouteHandler<Contract extends RouteContract> = (
  input: RouteRequest<Contract>,
  ctx: ContextFor<Contract>,
  http: { request: FastifyRequest; reply: FastifyReply },
) => Promise<RouteResult<Contract> | FastifyReply> | RouteResult<Contract> | FastifyReply

/**
 * Serves a contract: validates the request, passes the context explicitly, and serializes only the fields of
 * the contract (an unlisted field never leaves the process).
 */
export function route<const Contract extends RouteContract>(
  app: FastifyInstance,
  contract: Contract,
  handler: RouteHandler<Contract>,
): void {
  const { method, path: url, success } = contract
  app.route({
    method,
    url,
    config: { contract },
    ...((contract.auth ?? 'bearer') === 'bearer' ? { onRequest: guardsOf(app, contract) } : {}),
    schema: {
      ...(contract.params ? { params: contract.params } : {}),
      ...(contract.query ? { querystring: contract.query } : {}),
      ...(contract.body ? { body: contract.body } : {}),
      ...(success.schema ? { response: { [success.status]: success.schema } } : {}),
    },
    handler: async (request, reply) => {
      if (contract.deprecated) announceEnd(reply, contract.deprecated)
      const { params, query, body } = request
      const input = { params, query, body } as RouteRequest<Contract>
      const result = await timed(app.timeUseCase(contract.operationId), () =>
        handler(input, contextOf(request, reply), { request, reply }),
      )
      // A handler that hijacks the reply for a stream returns the reply, which is not sent yet.
      if (reply.sent || (result as unknown) === reply) return reply
      return reply.code(success.status).send(result)
    },
  })
}

async function timed<Result>(end: EndTimer, work: () => Result): Promise<Awaited<Result>> {
  try {
    return await work()
  } finally {
    end()
  }
}

/** Returns the hooks for authentication and role, which run before the body is read. */
function guardsOf(app: FastifyInstance, { role }: RouteContract): onRequestHookHandler[] {
  if (!role) return [app.authenticate]
  return [app.authenticate, async (request: FastifyRequest) => requireRole(request.actor, role)]
}

/**
 * Refuses an actor without the role: for an operation of which only a part needs it. The rest name it in their contract.
 * @throws Problem ACCOUNT_ROLE_REQUIRED
 */
export function requireRole(actor: Actor | null, role: UserRole): void {
  if (userRoles.indexOf(actor?.role ?? 'user') >= userRoles.indexOf(role)) return
  throw new Problem('ACCOUNT_ROLE_REQUIRED', { detail: `Requires the ${role} role.` })
}

/** Sets the deprecation headers of RFC 9745 and RFC 8594, so that client maintainers notice in time. */
function announceEnd(reply: FastifyReply, { since, sunset }: NonNullable<RouteContract['deprecated']>): void {
  reply.header('deprecation', `@${Date.parse(since) / 1_000}`)
  reply.header('sunset', new Date(sunset).toUTCString())
}

function contextOf<Contract extends RouteContract>(
  request: FastifyRequest,
  reply: FastifyReply,
): ContextFor<Contract> {
  let signal: AbortSignal | undefined
  const ctx: Context & { bearer: string } = {
    requestId: request.id,
    log: request.log as Context['log'],
    actor: request.actor,
    bearer: request.bearer,
    // Created on first use: most handlers finish immediately and need neither timer nor listener.
    get signal() {
      signal ??= signalOf(reply)
      return signal
    },
  }
  return ctx as unknown as ContextFor<Contract>
}

/**
 * Replaces Fastify's `request.signal`, which aborts once the body has been read even if the caller is still
 * connected.
 */
function signalOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  if (reply.raw.destroyed) gone.abort()
  else
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) gone.abort()
    })
  return AbortSignal.any([gone.signal, AbortSignal.timeout(REQUEST_DEADLINE_MS)])
}

/** Installs zod as validator and serializers built from the same schemas. Must run before any awaited `register`. */
export function installCompilers(app: FastifyInstance): void {
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => (data) => {
    const result = schema.safeParse(data ?? undefined)
    if (result.success) return { value: result.data }
    return { error: validationProblem(result.error, httpPart ?? 'body') }
  })
  app.setSerializerCompiler<z.ZodType>(({ schema }) => serializerOf(schema))
}

import { type RouteContract, type RouteRequest, type RouteResult, userRoles } from '@bigtech/contracts'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { z } from 'zod'
import type { AuthenticatedContext, Context } from './context.ts'
import { serializerOf } from './json-schema.ts'
import type { EndTimer } from './metrics.ts'
import { Problem } from './problem.ts'
import { validationProblem } from './validation.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    contract?: RouteContract
  }
  interface FastifyInstance {
    /** Patterns of the routes whose path holds a secret. */
    secretPaths: string[]
    /** Starts the clock of a use case. */
    timeUseCase: (usecase: string) => EndTimer
  }
}

/** Shorter than the gateway's read time-out (10 s): the caller hears 503 from us, not 504 from the gateway. */
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
 * Serves a contract: validates what comes in, passes the context on, serialises exactly what
 * the contract lists (a field that it does not list never leaves the process).
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
      // A stream that was handed over is not sent yet; the handler says so by returning the reply.
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

/** Authentication, then the role: before the body is read. */
function guardsOf(app: FastifyInstance, { role }: RouteContract): onRequestHookHandler[] {
  if (!role) return [app.authenticate]
  const requireRole = async (request: FastifyRequest) => {
    const held = request.actor?.role ?? 'user'
    if (userRoles.indexOf(held) >= userRoles.indexOf(role)) return
    throw new Problem('ACCOUNT_ROLE_REQUIRED', { detail: `Requires the ${role} role.` })
  }
  return [app.authenticate, requireRole]
}

/** RFC 9745 and RFC 8594: a client's logs tell its maintainers in time. */
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
    // Created on first use: most handlers finish at once and need neither timer nor listener.
    get signal() {
      signal ??= signalOf(reply)
      return signal
    },
  }
  return ctx as unknown as ContextFor<Contract>
}

/** Fastify's own `request.signal` aborts once the body has been read, whether or not the caller is still there. */
function signalOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  if (reply.raw.destroyed) gone.abort()
  else
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) gone.abort()
    })
  return AbortSignal.any([gone.signal, AbortSignal.timeout(REQUEST_DEADLINE_MS)])
}

/** zod validates, the serialiser comes from the same schema. Must run before any awaited `register`. */
export function installCompilers(app: FastifyInstance): void {
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => (data) => {
    const result = schema.safeParse(data ?? undefined)
    if (result.success) return { value: result.data }
    return { error: validationProblem(result.error, httpPart ?? 'body') }
  })
  app.setSerializerCompiler<z.ZodType>(({ schema }) => serializerOf(schema))
}

import type { ProblemCode } from '@bigtech/contracts'
import { StoreUnavailable } from '@bigtech/stores'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { failureEnvelopeOf, Problem, problemBodyOf } from './problem.ts'
import { maskSecretPath } from './secret-path.ts'

const codeByFastifyError: Record<string, ProblemCode> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'BODY_NOT_JSON',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'BODY_NOT_JSON',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BAD_REQUEST',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_CTP_BODY_TOO_LARGE: 'PAYLOAD_TOO_LARGE',
  FST_ERR_REOPENED_CLOSE_SERVER: 'SHUTTING_DOWN',
}
const codeByStatus: Record<number, ProblemCode> = {
  401: 'NOT_AUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'MEDIA_TYPE_UNSUPPORTED',
  429: 'RATE_LIMITED',
  503: 'UNAVAILABLE',
}

/**
 * Installs the error handler. Failures become problem+json or the envelope of their contract; unexpected
 * errors are logged completely and return no detail.
 */
export function installErrorHandler(app: FastifyInstance): void {
  app.setErrorHandler((err: Error & { code?: string; statusCode?: number }, request, reply) => {
    const problem = toProblem(err)
    if (problem.status >= 500) request.log.error({ err: problem.cause ?? err }, problem.code)
    else request.log.debug({ err }, problem.code)
    return sendProblem(request, reply, problem)
  })
  const allowedMethods = rememberRoutes(app)
  app.setNotFoundHandler((request, reply) => {
    const allowed = allowedMethods(pathOf(request))
    if (allowed.length === 0) return sendProblem(request, reply, new Problem('ROUTE_NOT_FOUND'))
    reply.header('allow', allowed.join(', '))
    return sendProblem(request, reply, new Problem('METHOD_NOT_ALLOWED'))
  })
}

/** Sends a problem outside the usual flow (a hijacked reply, a plugin's hook). */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.retryAfterSeconds !== undefined) {
    reply.header('retry-after', String(Math.max(1, Math.ceil(problem.retryAfterSeconds))))
  }
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  const isEnvelope = request.routeOptions.config?.contract?.errors === 'envelope'
  return reply
    .code(problem.status)
    .type(isEnvelope ? 'application/json' : 'application/problem+json')
    .serializer(JSON.stringify as (payload: unknown) => string)
    .send(
      isEnvelope
        ? failureEnvelopeOf(problem, request.id)
        : problemBodyOf(problem, pathOf(request), request.id),
    )
}

/**
 * Responds to paths that the router rejects (an invalid escape, an overlong parameter). They reach no route
 * and no hook, so the route pattern is unknown.
 */
export function refuseUnroutable(_err: Error, request: FastifyRequest, reply: FastifyReply): void {
  const { url = '/' } = request.raw
  const body = problemBodyOf(
    new Problem('BAD_REQUEST'),
    url.split('?', 1)[0]?.slice(0, 200) ?? '/',
    request.id,
  )
  reply.raw
    .writeHead(body.status, {
      'content-type': 'application/problem+json',
      'x-request-id': request.id,
      'cache-control': 'no-store',
    })
    .end(JSON.stringify(body))
}

/**
 * Returns the path without its query string, which may contain a ticket or a search; returns the route
 * pattern when the path itself contains a secret.
 */
export function pathOf(request: FastifyRequest): string {
  return maskSecretPath(request.url.split('?', 1)[0] ?? '/', request.server.secretPaths)
}

function toProblem(err: Error & { code?: string; statusCode?: number }): Problem {
  if (err instanceof Problem) return err
  if (err instanceof StoreUnavailable) return new Problem('UNAVAILABLE', { cause: err })
  const known = codeByFastifyError[err.code ?? '']
  if (known) return new Problem(known, { cause: err })
  const status = err.statusCode ?? 500
  // A JSON parser that rejects `__proto__` throws a plain SyntaxError with status 400.
  if (err instanceof SyntaxError && status === 400) return new Problem('BODY_NOT_JSON', { cause: err })
  const byStatus = codeByStatus[status] ?? (status >= 400 && status < 500 ? 'BAD_REQUEST' : 'INTERNAL')
  return new Problem(byStatus, { cause: err })
}

/**
 * Records the secret paths, and the methods of every path, to distinguish a wrong method (405) from a wrong
 * path (404).
 */
function rememberRoutes(app: FastifyInstance): (path: string) => string[] {
  const routes: { methods: string[]; pattern: RegExp }[] = []
  app.decorate('secretPaths', [])
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.contract?.secretPath) app.secretPaths.push(url)
    const source = url.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z_]+/g, '[^/]+')
    routes.push({
      methods: [method].flat(),
      pattern: new RegExp(`^${source.replace(/\*/g, '.*')}/?$`),
    })
  })
  return (path) => [
    ...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods)),
  ]
}

import { Problem, problemBodyOf } from '@bigtech/service-kit'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Seconds after which a client may try again when an upstream is down or slow: kong.yml says the same. */
const retryAfterSeconds = 2

/** The other half of the `post-function` Lua in kong.yml: the gateway's own errors look like all others. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => sendProblem(request, reply, problemOf(error)))
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, new Problem('ROUTE_NOT_FOUND')))
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.code === 'INTERNAL') request.log.error({ err: problem.cause }, 'request failed')
  if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', problem.retryAfterSeconds)
  // The rest of an unread body would be taken for the next request.
  if (!request.raw.complete) reply.header('connection', 'close')
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json')
    .send(JSON.stringify(problemBodyOf(problem, pathOf(request), request.id)))
}

/** The path as the client sent it, without the query string: a stream ticket may be in that. */
export function pathOf(request: FastifyRequest): string {
  const url = request.originalUrl
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

/** What a failed call of an upstream is for the client. */
export function upstreamProblem(error: Error): Problem {
  const cause = (error.cause ?? error) as NodeJS.ErrnoException
  // A body that is too large, found while it was passed on.
  if (cause instanceof Problem) return cause
  const slow = cause.code === 'UND_ERR_HEADERS_TIMEOUT' || cause.code === 'UND_ERR_BODY_TIMEOUT'
  return new Problem(slow ? 'GATEWAY_TIMEOUT' : 'UNAVAILABLE', { retryAfterSeconds, cause })
}

/** A problem for a plain status, as `request-termination` and Fastify itself give them. */
export function problemOfStatus(status: number): Problem {
  if (status === 404) return new Problem('ROUTE_NOT_FOUND')
  if (status === 405) return new Problem('METHOD_NOT_ALLOWED')
  if (status === 413) return new Problem('PAYLOAD_TOO_LARGE')
  if (status === 429) return new Problem('RATE_LIMITED')
  if (status === 503) return new Problem('UNAVAILABLE', { retryAfterSeconds })
  return new Problem(status < 500 ? 'BAD_REQUEST' : 'INTERNAL')
}

function problemOf(error: FastifyError): Problem {
  if (error instanceof Problem) return error
  // A percent-encoding that is none.
  if (error instanceof URIError) return new Problem('BAD_REQUEST')
  return error.statusCode && error.statusCode < 500
    ? problemOfStatus(error.statusCode)
    : new Problem('INTERNAL', { cause: error })
}

import { Problem, problemBodyOf } from '@bigtech/service-kit'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Retry delay in seconds when an upstream is down or slow; same as in kong.yml. */
const retryAfterSeconds = 2

/** Formats the gateway's own errors as problems, equivalent to the `post-function` Lua in kong.yml. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => sendProblem(request, reply, problemOf(error)))
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, new Problem('ROUTE_NOT_FOUND')))
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.code === 'INTERNAL') request.log.error({ err: problem.cause }, 'request failed')
  if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', problem.retryAfterSeconds)
  // The rest of an unread body would be parsed as the next request.
  if (!request.raw.complete) reply.header('connection', 'close')
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json')
    .send(JSON.stringify(problemBodyOf(problem, pathOf(request), request.id)))
}

/** Returns the client's path without the query string, which may contain a stream ticket. */
export function pathOf(request: FastifyRequest): string {
  const url = request.originalUrl
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

/** Converts a failed upstream call to a problem. */
export function upstreamProblem(error: Error): Problem {
  const cause = (error.cause ?? error) as NodeJS.ErrnoException
  // An oversized body detected while streaming.
  if (cause instanceof Problem) return cause
  const slow = cause.code === 'UND_ERR_HEADERS_TIMEOUT' || cause.code === 'UND_ERR_BODY_TIMEOUT'
  return new Problem(slow ? 'GATEWAY_TIMEOUT' : 'UNAVAILABLE', { retryAfterSeconds, cause })
}

/** Returns the problem for a plain status of `request-termination` or Fastify. */
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
  // An invalid percent-encoding.
  if (error instanceof URIError) return new Problem('BAD_REQUEST')
  return error.statusCode && error.statusCode < 500
    ? problemOfStatus(error.statusCode)
    : new Problem('INTERNAL', { cause: error })
}

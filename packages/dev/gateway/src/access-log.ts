import { maskSecretPath, networkOf } from '@bigtech/service-kit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Counter, Histogram, type Registry } from 'prom-client'
import { escapePath, normalizePath } from './kong/path.ts'
import { pathOf } from './problem.ts'

/**
 * Logs one line per request, equivalent to the `log` Lua in kong.yml: the same fields, and never the query
 * string, a header or a join link's token. `request_id` is bound to the request's logger.
 */
export function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    const status = statusOf(reply)
    const fields = {
      method: request.method,
      path: loggedPath(request),
      status,
      duration_ms: Math.round(reply.elapsedTime),
      client_ip: networkOf(request.ip),
      upstream_service: request.destination?.kind === 'proxy' ? request.destination.service.host : undefined,
    }
    if (status >= 500) request.log.error(fields, 'request')
    else request.log.info(fields, 'request')
  })
}

/** Paths that contain a secret, as in kong.yml. */
export const secretPaths = ['/api/friends/invites/:token', '/api/rooms/join/:token'] as const

function loggedPath(request: FastifyRequest): string {
  return maskSecretPath(escapePath(normalizePath(pathOf(request))), secretPaths)
}

/** Counts and times requests by kong.yml's route: client paths would create a series each. */
export function measureRequests(app: FastifyInstance, registry: Registry): void {
  const labelNames = ['method', 'path', 'status'] as const
  const registers = [registry]
  const total = new Counter({
    name: 'http_requests_total',
    help: 'Requests handled.',
    labelNames,
    registers,
  })
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last byte of its response.',
    labelNames,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  app.addHook('onResponse', async (request, reply) => {
    const labels = { method: request.method, path: routeLabel(request), status: String(statusOf(reply)) }
    total.inc(labels)
    // A stream's duration is unrelated to speed.
    if (request.destination?.name !== 'stream') duration.observe(labels, reply.elapsedTime / 1_000)
  })
}

/** Returns nginx's 499 when the client disconnected before the response. */
function statusOf(reply: FastifyReply): number {
  return reply.raw.headersSent ? reply.statusCode : 499
}

function routeLabel(request: FastifyRequest): string {
  return request.destination?.name ?? 'unmatched'
}

import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyRequest } from 'fastify'

/**
 * The other half of the `access` Lua in kong.yml. What a client says about itself is not passed on: request ids that
 * are not harmless (see `requestIdFrom` of the kit), the forwarding headers unless a trusted proxy wrote them, and
 * whether its requests are traced.
 */
export function upstreamRequestHeaders(
  request: FastifyRequest,
  headers: IncomingHttpHeaders,
): IncomingHttpHeaders {
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !isDropped(name)))
  return {
    ...kept,
    'x-request-id': request.id,
    'x-forwarded-for': [...(request.ips ?? [request.ip])].reverse().join(', '),
    'x-forwarded-proto': request.protocol,
    'x-forwarded-host': request.host,
  }
}

/** Headers of one connection only, and those that say who is calling and what is to be traced. */
function isDropped(name: string): boolean {
  return hopByHop.has(name) || clientClaims.has(name) || name.startsWith('x-forwarded-')
}

const clientClaims = new Set(['forwarded', 'x-real-ip', 'traceparent', 'tracestate'])

export const hopByHop = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

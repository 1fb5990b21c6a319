import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyRequest } from 'fastify'

/**
 * Returns the headers for the upstream, equivalent to the `access` Lua in kong.yml. Drops claims of the
 * client: unsafe request ids (see `requestIdFrom` of the kit), forwarding headers unless written by a
 * trusted proxy, and trace headers.
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

/** Returns whether a header is hop-by-hop or identifies the caller or the trace. */
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

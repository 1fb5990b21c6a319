import type { ServerOptions } from 'node:http'

export interface RequestLimits {
  readonly requestTimeout: number
  readonly http: ServerOptions
}

const CHECKS_PER_TIMEOUT = 15

/**
 * Returns Fastify options that end a request whose headers and body are incomplete after `timeoutMs`. Node
 * needs all
 * three values: with the default `headersTimeout` of 60 s it swaps the two limits, and it checks for expired
 * requests only every 30 s, so that a slow body would live for up to 90 s.
 */
export function requestLimits(timeoutMs: number): RequestLimits {
  return {
    requestTimeout: timeoutMs,
    http: {
      requestTimeout: timeoutMs,
      headersTimeout: Math.ceil(timeoutMs / 2),
      connectionsCheckingInterval: Math.ceil(timeoutMs / CHECKS_PER_TIMEOUT),
    },
  }
}

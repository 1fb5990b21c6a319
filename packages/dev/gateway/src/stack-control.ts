import { Problem } from '@bigtech/service-kit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { pathOf } from './problem.ts'

const prefix = '/stack'
const localHost = /^(?:localhost|127\.0\.0\.1)(?::\d+)?$/

/** Returns whether a request is for the control API of the local stack, which `npm start` exposes to the page. */
export function isForStack(request: FastifyRequest, controlUrl: string | undefined): boolean {
  return controlUrl !== undefined && pathOf(request).startsWith(`${prefix}/processes`)
}

/**
 * Forwards a request of the page to the control API of the local stack. Allows only the page's own origin: a
 * browser sends it in a header that scripts cannot set, and a page with DNS rebinding has another host.
 *
 * @throws Problem FORBIDDEN for any other caller
 */
export async function controlStack(
  request: FastifyRequest,
  reply: FastifyReply,
  controlUrl: string,
): Promise<FastifyReply> {
  const isOwnPage = request.headers['sec-fetch-site'] === 'same-origin'
  if (!isOwnPage || !localHost.test(request.host)) throw new Problem('FORBIDDEN')
  const response = await fetch(controlUrl + pathOf(request).slice(prefix.length), { method: request.method })
  return reply
    .code(response.status)
    .type('application/json')
    .send(await response.text())
}

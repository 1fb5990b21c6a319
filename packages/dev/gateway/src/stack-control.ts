import { Problem } from '@bigtech/service-kit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { pathOf } from './problem.ts'

const prefix = '/stack'
const localHost = /^(?:localhost|127\.0\.0\.1)(?::\d+)?$/

/** Whether a request is for the control of the local stack, which `npm start` puts behind the page. */
export function isForStack(request: FastifyRequest, controlUrl: string | undefined): boolean {
  return controlUrl !== undefined && pathOf(request).startsWith(`${prefix}/processes`)
}

/**
 * Passes a request of the page on to the control of the local stack. Only the page's own origin may: a
 * browser says so in a header that no script can set, and a page that rebound its name has another host.
 *
 * @throws Problem FORBIDDEN for everybody else.
 */
export async function controlStack(
  request: FastifyRequest,
  reply: FastifyReply,
  controlUrl: string,
): Promise<FastifyReply> {
  const isOwnPage = request.headers['sec-fetch-site'] === 'same-origin'
  if (!isOwnPage || !localHost.test(request.host)) throw new Problem('FORBIDDEN')
  const answer = await fetch(controlUrl + pathOf(request).slice(prefix.length), { method: request.method })
  return reply
    .code(answer.status)
    .type('application/json')
    .send(await answer.text())
}

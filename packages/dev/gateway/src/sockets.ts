import { type IncomingMessage, request as openRequest, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { upstreamRequestHeaders } from './client.ts'
import type { Destination } from './kong/router.ts'
import { sendProblem, upstreamProblem } from './problem.ts'
import { queryOf } from './proxy.ts'

/** Bytes received after the head of an upgrade, before the upstream's response. */
const early = new WeakMap<IncomingMessage, Buffer>()

/**
 * Returns whether to upgrade. Other upgrades (`h2c`) are ignored, as RFC 9110 allows, and handled as plain
 * requests.
 */
export function isSocketRequest({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket'
}

/** Passes upgrades through the same hooks as every request, so that they are counted, logged and routed alike. */
export function acceptSockets(app: FastifyInstance): void {
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    early.set(request, head)
    const response = new ServerResponse(request)
    response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0])
    // The server has detached the socket, so a response that is no upgrade must end it.
    response.once('finish', () => socket.end())
    app.routing(request, response)
  })
}

/** Connects the client with the upstream; forwards the upstream's refusal as a response. */
export function openTunnel(
  request: FastifyRequest,
  reply: FastifyReply,
  { upstreamPath, service }: Extract<Destination, { kind: 'proxy' }>,
  origin: string,
): FastifyReply {
  const { raw } = request
  const query = queryOf(request.originalUrl)
  const upstream = openRequest(`${origin}${upstreamPath}?${query}`, {
    headers: {
      ...upstreamRequestHeaders(request, raw.headers),
      connection: 'Upgrade',
      upgrade: 'websocket',
    },
    timeout: service.connect_timeout + service.read_timeout,
  })
  upstream.on('upgrade', (response, far, head) => {
    reply.hijack()
    const near = raw.socket
    near.setTimeout(0)
    far.setTimeout(0)
    near.write(headOf(response))
    near.write(head)
    far.write(early.get(raw) ?? Buffer.alloc(0))
    near.pipe(far).pipe(near)
    const end = () => {
      near.destroy()
      far.destroy()
    }
    request.server.openStreams.add(end)
    for (const side of [near, far]) {
      side.on('error', end)
      side.once('close', () => {
        end()
        request.server.openStreams.delete(end)
      })
    }
  })
  upstream.on('response', (response) => {
    reply.code(response.statusCode ?? 502)
    const type = response.headers['content-type']
    if (type !== undefined) reply.type(type)
    reply.send(response)
  })
  upstream.on('error', (error) => sendProblem(request, reply, upstreamProblem(error)))
  raw.socket.once('close', () => upstream.destroy())
  upstream.end()
  return reply
}

function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`]
  for (let index = 0; index < rawHeaders.length; index += 2)
    lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

import { type IncomingMessage, request as openRequest, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { upstreamRequestHeaders } from './client.ts'
import type { Destination } from './kong/router.ts'
import { sendProblem, upstreamProblem } from './problem.ts'
import { queryOf } from './proxy.ts'

/** What arrived behind the head of an upgrade, before the upstream has answered. */
const early = new WeakMap<IncomingMessage, Buffer>()

/** Other upgrades (`h2c`) are ignored, as RFC 9110 allows: the request is answered as any other. */
export function isSocketRequest({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket'
}

/** Sends upgrades through the same hooks as every request, so that they are counted, logged and routed alike. */
export function acceptSockets(app: FastifyInstance): void {
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    early.set(request, head)
    const response = new ServerResponse(request)
    response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0])
    // The server has given the socket away, so an answer that is no upgrade must end it.
    response.once('finish', () => socket.end())
    app.routing(request, response)
  })
}

/** Joins the client's connection with one to the upstream; a refusal of the upstream is passed on as an answer. */
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
  upstream.on('upgrade', (answer, far, head) => {
    reply.hijack()
    const near = raw.socket
    near.setTimeout(0)
    far.setTimeout(0)
    near.write(headOf(answer))
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
  upstream.on('response', (answer) => {
    reply.code(answer.statusCode ?? 502)
    const type = answer.headers['content-type']
    if (type !== undefined) reply.type(type)
    reply.send(answer)
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

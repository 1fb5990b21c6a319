import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** The delay before a browser reconnects. */
const RETRY_MS = 1_000

/**
 * Takes the connection of a request over from the HTTP server, which would keep its parser, the request, the response and all that
 * refers to them for as long as the stream is open: half of the memory of an idle stream. The request counts as handled from here
 * on, for the access log and the metrics. Destroys the connection and returns undefined when the client has pipelined another
 * request.
 *
 * Node does the same for an upgraded connection but only for requests with an `Upgrade` header. The order matters: `finish`
 * makes the server forget the request and the response, then `close` makes it release the parser.
 */
export function takeSocket(request: FastifyRequest, reply: FastifyReply): Socket | undefined {
  reply.hijack()
  const { raw: response } = reply
  const { socket } = request.raw
  const isNext = response.socket === socket
  // A response in front of or behind this one would be written into the stream.
  if (isNext) response.emit('finish')
  const isAlone = isNext && (socket as Socket & { _httpMessage?: unknown })._httpMessage === null
  if (!isAlone) {
    socket.destroy()
    return undefined
  }
  socket.emit('close')
  socket.removeAllListeners()
  socket.setTimeout(0)
  socket.setNoDelay(true)
  // The close of the connection is handled; its error says nothing more.
  socket.on('error', () => undefined)
  socket.once('end', () => socket.destroy())
  // The client has nothing to say on a stream, but its end of the connection is noticed only while reading.
  socket.resume()
  return socket
}

/**
 * Returns the first bytes of a stream. Without a length and without chunks: the end of the connection ends the stream. Chunks would
 * cost a fifth of every write.
 */
export function streamHead(requestId: string): Buffer {
  const lines = [
    'HTTP/1.1 200 OK',
    'content-type: text/event-stream; charset=utf-8',
    'cache-control: no-store',
    'x-accel-buffering: no',
    `x-request-id: ${requestId}`,
    `date: ${new Date().toUTCString()}`,
    'connection: close',
    '',
    `retry: ${RETRY_MS}\n\n`,
  ]
  return Buffer.from(lines.join('\r\n'), 'latin1')
}

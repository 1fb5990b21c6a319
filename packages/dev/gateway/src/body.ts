import { type Readable, Transform } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { Problem } from '@bigtech/service-kit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { KongDocument } from './kong/schema.ts'
import { bodyLimitOf } from './plugins.ts'

/**
 * Reads each body whole, so that no upstream waits for a slow sender; the body of a route without `request_buffering`
 * is handed on as it comes in. Both end with PAYLOAD_TOO_LARGE beyond the limit of the route.
 *
 * @param wholeMs Milliseconds after which a request whose body is read whole is ended, unless it is complete.
 */
export function receiveBodies(app: FastifyInstance, document: KongDocument, wholeMs: number): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: Readable) => {
    const limit = bodyLimitOf(document, request.destination)
    if (Number(request.headers['content-length'] ?? 0) > limit) throw new Problem('PAYLOAD_TOO_LARGE')
    const body = upTo(limit, payload)
    return isStreamed(request) ? body : buffer(body)
  })
  app.addHook('onRequest', async (request) => {
    if (!isStreamed(request)) endWhenSlow(app, request, wholeMs)
  })
}

function isStreamed({ destination }: FastifyRequest): boolean {
  return destination?.kind === 'proxy' && !destination.route.request_buffering
}

/** Node has one time limit for all requests of a server: what it does at its end is done here earlier. */
function endWhenSlow(app: FastifyInstance, { raw }: FastifyRequest, afterMs: number): void {
  const timer = setTimeout(() => {
    if (raw.complete) return
    const error = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
    app.server.emit('clientError', error, raw.socket)
  }, afterMs)
  raw.once('close', () => clearTimeout(timer))
}

/** What of a body comes in, ended with a problem beyond the limit. The request stays open for the answer. */
function upTo(limit: number, payload: Readable): Readable {
  let bytes = 0
  const body = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > limit) done(new Problem('PAYLOAD_TOO_LARGE'))
      else done(null, chunk)
    },
  })
  // A client that leaves when the upstream has answered is nobody's error.
  body.on('error', () => undefined)
  payload.once('error', (error) => body.destroy(error))
  return payload.pipe(body)
}

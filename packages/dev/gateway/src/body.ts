import { type Readable, Transform } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { Problem } from '@bigtech/service-kit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { KongDocument } from './kong/schema.ts'
import { bodyLimitOf } from './plugins.ts'

/**
 * Buffers each body, so that no upstream waits for a slow sender; streams the body of a route without
 * `request_buffering`. Both end with PAYLOAD_TOO_LARGE beyond the route's limit.
 *
 * @param wholeMs milliseconds after which an incomplete buffered request is ended
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

/** Ends slow requests per route, because Node has one time limit for all requests of a server. */
function endWhenSlow(app: FastifyInstance, { raw }: FastifyRequest, afterMs: number): void {
  const timer = setTimeout(() => {
    if (raw.complete) return
    const error = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
    app.server.emit('clientError', error, raw.socket)
  }, afterMs)
  raw.once('close', () => clearTimeout(timer))
}

/** Passes a body through, ending it with a problem beyond the limit. The request stays open for the response. */
function upTo(limit: number, payload: Readable): Readable {
  let bytes = 0
  const body = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > limit) done(new Problem('PAYLOAD_TOO_LARGE'))
      else done(null, chunk)
    },
  })
  // A disconnecting client after the upstream's response is no error.
  body.on('error', () => undefined)
  payload.once('error', (error) => body.destroy(error))
  return payload.pipe(body)
}

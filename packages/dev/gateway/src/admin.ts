import { type FastifyInstance, fastify } from 'fastify'
import type { Registry } from 'prom-client'

/** Builds the operators' API on a separate port: clients must not read metrics. */
export function buildAdmin(registry: Registry, host: string): FastifyInstance {
  const app = fastify({ logger: false })
  if (loopback.has(host)) refuseForeignHosts(app)
  app.get('/live', async () => ({ status: 'healthy', service: 'Gateway' }))
  app.get('/ready', async () => ({ status: 'healthy', service: 'Gateway' }))
  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', registry.contentType)
    return registry.metrics()
  })
  return app
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/**
 * Rejects foreign host names: a foreign page that resolves to this machine (DNS rebinding) must not read the
 * metrics.
 */
function refuseForeignHosts(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(request.headers.host ?? ''))
      return reply
        .code(403)
        .type('text/plain')
        .send('Open this address as http://localhost or http://127.0.0.1.')
  })
}

import { type FastifyInstance, fastify } from 'fastify'
import type { Registry } from 'prom-client'

/** For operators only, on a port of its own: clients must not read metrics. */
export function buildAdmin(registry: Registry): FastifyInstance {
  const app = fastify({ logger: false })
  app.get('/live', async () => ({ status: 'healthy', service: 'Gateway' }))
  app.get('/ready', async () => ({ status: 'healthy', service: 'Gateway' }))
  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', registry.contentType)
    return registry.metrics()
  })
  return app
}

import { getHeapStatistics } from 'node:v8'
import type { FastifyInstance } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Asked by machines every few seconds: counted, they would make every figure look better than people see it. */
const probes = new Set<string | undefined>(['/live', '/ready', '/health', '/metrics'])

/** The lag of the event loop is never less than this. At 10 ms, the default, a process at rest spends 3 ms of CPU a second on it. */
const EVENT_LOOP_PRECISION_MS = 50

/** A registry whose every series carries the service's name. */
export function createMetrics(service: string): Registry {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS })
  const limit = new Gauge({
    name: 'nodejs_heap_limit_bytes',
    help: 'Heap size at which Node ends the process.',
    registers: [registry],
  })
  limit.set(getHeapStatistics().heap_size_limit)
  return registry
}

/** Ends a measurement. */
export type EndTimer = () => void

/**
 * Times use cases by the name of their operation: what a handler does, without reading the body and writing the answer.
 * Of a stream the time until it begins.
 */
export function createUseCaseTimer(registry: Registry): (usecase: string) => EndTimer {
  const duration = new Histogram({
    name: 'usecase_duration_seconds',
    help: 'Time that a use case took, failures included.',
    labelNames: ['usecase'] as const,
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers: [registry],
  })
  return (usecase) => {
    const end = duration.startTimer({ usecase })
    return () => void end()
  }
}

/** Counts and times every request by route pattern: a path with ids in it would be a series per id. */
export function measureRequests(app: FastifyInstance, registry: Registry): void {
  const labelNames = ['method', 'path', 'status'] as const
  const total = new Counter({
    name: 'http_requests_total',
    help: 'Requests answered.',
    labelNames,
    registers: [registry],
  })
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer.',
    labelNames,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  app.addHook('onResponse', async (request, reply) => {
    if (probes.has(request.routeOptions.url)) return
    const labels = {
      method: request.method,
      path: request.routeOptions.url ?? 'unmatched',
      status: String(reply.statusCode),
    }
    total.inc(labels)
    // A stream's length says nothing about the speed of the service.
    if (request.routeOptions.config.contract?.success.contentType === undefined)
      duration.observe(labels, reply.elapsedTime / 1_000)
  })
}

import { getHeapStatistics } from 'node:v8'
import type { FastifyInstance } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { measureEventLoopLag, withoutEventLoopTimer } from './event-loop-lag.ts'

/** Excluded, because frequent machine requests would distort the latency figures. */
const probes = new Set<string | undefined>(['/live', '/ready', '/health', '/metrics'])

/** Returns a registry that labels every series with the service's name. */
export function createMetrics(service: string): Registry {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  collectDefaultMetrics({ register: registry, ...withoutEventLoopTimer })
  measureEventLoopLag(registry)
  const limit = new Gauge({
    name: 'nodejs_heap_limit_bytes',
    help: 'Heap size limit at which Node exits.',
    registers: [registry],
  })
  limit.set(getHeapStatistics().heap_size_limit)
  return registry
}

/**
 * Starts the series of every combination of known label values at 0: `rate` and `increase` ignore the first sample of
 * a series, so that a rare failure would never be seen.
 */
export function startAtZero<Label extends string>(
  metric: Counter<Label> | Histogram<Label>,
  values: Readonly<Record<Label, readonly string[]>>,
): void {
  let series: Partial<Record<Label, string>>[] = [{}]
  for (const [label, each] of Object.entries(values) as [Label, readonly string[]][])
    series = series.flatMap((labels) => each.map((value) => ({ ...labels, [label]: value })))
  for (const labels of series)
    if (metric instanceof Counter) metric.inc(labels, 0)
    else metric.zero(labels)
}

/** Ends a measurement. */
export type EndTimer = () => void

/**
 * Returns a timer of use cases, labeled by operation: measures the handler without reading the body and
 * writing the response; for a stream, the time until its start.
 */
export function createUseCaseTimer(registry: Registry): (usecase: string) => EndTimer {
  const duration = new Histogram({
    name: 'usecase_duration_seconds',
    help: 'Duration of a use case, including failures.',
    labelNames: ['usecase'] as const,
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers: [registry],
  })
  return (usecase) => {
    const end = duration.startTimer({ usecase })
    return () => void end()
  }
}

/** Counts and times requests by route pattern: paths with ids would create a series per id. */
export function measureRequests(app: FastifyInstance, registry: Registry): void {
  const labelNames = ['method', 'path', 'status'] as const
  const total = new Counter({
    name: 'http_requests_total',
    help: 'Requests handled.',
    labelNames,
    registers: [registry],
  })
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last byte of its response.',
    labelNames,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { url, config } = request.routeOptions
    if (!probes.has(url)) {
      const labels = { method: request.method, path: url ?? 'unmatched', status: String(reply.statusCode) }
      total.inc(labels)
      // The durations of streams and of requests that wait for news are unrelated to the speed of the service.
      if (config.contract?.success.contentType === undefined && config.contract?.isPolled !== true)
        duration.observe(labels, reply.elapsedTime / 1_000)
    }
    done()
  })
}

import { register } from 'node:module'
import { basename } from 'node:path'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis'
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { NodeSDK } from '@opentelemetry/sdk-node'

/** What probes and scrapers ask all day would drown the traces of people. */
const untraced = new Set(['/health', '/live', '/ready', '/metrics'])

/**
 * Starts the OpenTelemetry SDK: HTTP in and out, MongoDB and Redis are instrumented here, Kafka by
 * @bigtech/kafka, MySQL by the services' Prisma plug-in. The endpoint and the sampler come
 * from the standard OTEL_* variables.
 */
export function startTracing(): void {
  // ES modules are patched by a loader hook, which must be there before they are imported.
  register('@opentelemetry/instrumentation/hook.mjs', import.meta.url)
  const sdk = new NodeSDK({
    serviceName: process.env.OTEL_SERVICE_NAME ?? basename(process.cwd()),
    traceExporter: new OTLPTraceExporter(),
    instrumentations: [
      new HttpInstrumentation({
        ignoreIncomingRequestHook: (request) => untraced.has(request.url?.split('?', 1)[0] ?? ''),
        // A query string may hold a ticket or what somebody searched for.
        applyCustomAttributesOnSpan: (span) => span.setAttribute('url.query', ''),
      }),
      new UndiciInstrumentation(),
      new IORedisInstrumentation(),
      new MongoDBInstrumentation(),
    ],
  })
  sdk.start()
  process.once('beforeExit', () => void sdk.shutdown())
}

import { register } from 'node:module'
import { basename } from 'node:path'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis'
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { RedactingExporter } from './tracing-exporter.ts'
import { MariaDbInstrumentation } from './tracing-mariadb.ts'

/** Frequent probe and scraper requests, which would outnumber the traces of users. */
const untraced = new Set(['/health', '/live', '/ready', '/metrics', '/.well-known/revocations.json'])

/** Patched ES modules; the loader hook leaves all others unchanged. */
const patchedModules = ['mariadb', 'ioredis', 'mongodb', 'http', 'https']

/** Maximum length of a text attribute. */
const LONGEST_VALUE = 512

/**
 * Starts the OpenTelemetry SDK: instruments HTTP, MySQL, MongoDB and Redis; @bigtech/kafka instruments Kafka.
 * The standard OTEL_* variables configure endpoint and sampler. Store requests without a parent span (relays,
 * polls) create none.
 */
export function startTracing(): void {
  register('@opentelemetry/instrumentation/hook.mjs', import.meta.url, { data: { include: patchedModules } })
  // No baggage: it would be passed on from callers to every neighbor service.
  process.env.OTEL_PROPAGATORS ??= 'tracecontext'
  const sdk = new NodeSDK({
    serviceName: process.env.OTEL_SERVICE_NAME ?? basename(process.cwd()),
    traceExporter: new RedactingExporter(),
    spanLimits: { attributeValueLengthLimit: LONGEST_VALUE },
    // Disables the SDK's own metrics and logs, which are scraped and collected.
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [
      new HttpInstrumentation({
        ignoreIncomingRequestHook: (request) => untraced.has(request.url?.split('?', 1)[0] ?? ''),
        // Calls to neighbor services use undici; the exporter's own requests must not be traced.
        disableOutgoingRequestInstrumentation: true,
      }),
      new UndiciInstrumentation({ requireParentforSpans: true }),
      new MariaDbInstrumentation(),
      // Only the command name: keys contain ids and addresses, and values can be anything.
      new IORedisInstrumentation({ dbStatementSerializer: (name) => name }),
      new MongoDBInstrumentation({ dbStatementSerializer: (command) => Object.keys(command)[0] ?? '' }),
    ],
  })
  sdk.start()
  process.once('beforeExit', () => void sdk.shutdown())
}

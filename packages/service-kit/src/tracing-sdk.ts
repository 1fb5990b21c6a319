import { register } from 'node:module'
import { basename } from 'node:path'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis'
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { RedactingExporter } from './tracing-exporter.ts'
import { MariaDbInstrumentation } from './tracing-mariadb.ts'

/** What probes and scrapers ask all day would drown the traces of people. */
const untraced = new Set(['/health', '/live', '/ready', '/metrics', '/.well-known/revocations.json'])

/** ES modules that are patched; the loader hook leaves all others as they are. */
const patchedModules = ['mariadb', 'ioredis', 'mongodb', 'http', 'https']

/** The longest that is kept of a text. */
const LONGEST_VALUE = 512

/**
 * Starts the OpenTelemetry SDK: HTTP in and out, MySQL, MongoDB and Redis are instrumented here,
 * Kafka by @bigtech/kafka. The endpoint and the sampler come from the standard OTEL_* variables.
 * Stores are asked all day by relays and polls: without a span to belong to they make none.
 */
export function startTracing(): void {
  register('@opentelemetry/instrumentation/hook.mjs', import.meta.url, { data: { include: patchedModules } })
  // No baggage: what a caller writes into it would be handed on to every neighbour.
  process.env.OTEL_PROPAGATORS ??= 'tracecontext'
  const sdk = new NodeSDK({
    serviceName: process.env.OTEL_SERVICE_NAME ?? basename(process.cwd()),
    traceExporter: new RedactingExporter(),
    spanLimits: { attributeValueLengthLimit: LONGEST_VALUE },
    // Metrics are scraped and logs are collected: the SDK's own ways for them stay shut.
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [
      new HttpInstrumentation({
        ignoreIncomingRequestHook: (request) => untraced.has(request.url?.split('?', 1)[0] ?? ''),
        // Calls to neighbours are undici's; the exporter's own calls must not be traced.
        disableOutgoingRequestInstrumentation: true,
      }),
      new UndiciInstrumentation({ requireParentforSpans: true }),
      new MariaDbInstrumentation(),
      // The name of the command alone: keys hold ids and addresses, values anything.
      new IORedisInstrumentation({ dbStatementSerializer: (name) => name }),
      new MongoDBInstrumentation({ dbStatementSerializer: (command) => Object.keys(command)[0] ?? '' }),
    ],
  })
  sdk.start()
  process.once('beforeExit', () => void sdk.shutdown())
}

import { randomFillSync } from 'node:crypto'
import {
  context,
  defaultTextMapGetter,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import type { FastifyInstance } from 'fastify'

/**
 * Propagates the caller's `traceparent`, or a new one, to neighbor services, outbox and Kafka, with or
 * without a collector: every record identifies the request that caused it. With the SDK it changes nothing.
 */
export function propagateTraces(app: FastifyInstance): void {
  // No-ops when the SDK, or an earlier service in this process, has registered its own.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  // After the body was read: its events come from the socket, outside the context of an earlier hook.
  app.addHook('preValidation', (request, _reply, done) => {
    if (trace.getActiveSpan()) return done()
    const parent = propagation.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter)
    const known = trace.getSpanContext(parent)
    context.with(known ? parent : trace.setSpanContext(parent, newSpanContext()), done)
  })
}

const TRACE_ID_BYTES = 16
const CONTEXT_BYTES = TRACE_ID_BYTES + 8
/** Random bytes for many requests at once: the call costs more than the bytes. */
const pool = Buffer.alloc(CONTEXT_BYTES * 100)
let used = pool.length

function newSpanContext(): SpanContext {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const hex = pool.toString('hex', used, used + CONTEXT_BYTES)
  used += CONTEXT_BYTES
  const end = TRACE_ID_BYTES * 2
  return { traceId: hex.slice(0, end), spanId: hex.slice(end), traceFlags: TraceFlags.NONE }
}

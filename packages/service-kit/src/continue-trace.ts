import {
  context,
  defaultTextMapGetter,
  propagation,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'

const tracer = trace.getTracer('@bigtech/service-kit')

/**
 * Runs work that another piece of work has caused, some time ago or in another process, as a span of
 * its trace, linked to the span that caused it. Without a trace it only runs.
 *
 * @param traceparent of the cause, as W3C writes it
 */
export function continueTrace<Result>(
  traceparent: string | undefined,
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  work: () => Result,
): Result {
  if (traceparent === undefined) return work()
  const parent = propagation.extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter)
  const cause = trace.getSpanContext(parent)
  if (cause === undefined) return work()
  const span = tracer.startSpan(name, { attributes, links: [{ context: cause }] }, parent)
  try {
    return context.with(trace.setSpan(parent, span), work)
  } catch (err) {
    span.setStatus({ code: SpanStatusCode.ERROR })
    throw err
  } finally {
    span.end()
  }
}

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
 * Runs work as a span in the trace of its cause, linked to the causing span, which may have ended or belong
 * to another process. Without a trace it only runs the work.
 *
 * @param traceparent of the cause, in W3C format
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

import { randomBytes } from 'node:crypto'
import {
  context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import type { KafkaRecord } from './record.ts'

const tracer = trace.getTracer('@bigtech/kafka')

/**
 * Runs a publish as a span of the record's trace. Without an SDK the span is a no-op and the record keeps
 * its `traceparent`, or gets a new one when no request caused it: every record in Kafka carries one.
 */
export async function tracePublish(
  record: KafkaRecord,
  publish: (headers: Readonly<Record<string, string>>) => Promise<void>,
): Promise<void> {
  const parent = propagation.extract(ROOT_CONTEXT, record.headers, defaultTextMapGetter)
  const attributes = {
    'messaging.system': 'kafka',
    'messaging.destination.name': record.topic,
    'messaging.operation.type': 'send',
  }
  const span = tracer.startSpan(`send ${record.topic}`, { kind: SpanKind.PRODUCER, attributes }, parent)
  if (!isSpanContextValid(span.spanContext())) {
    return publish({ ...record.headers, traceparent: record.headers.traceparent ?? newTraceparent() })
  }
  const headers = { ...record.headers }
  propagation.inject(trace.setSpan(parent, span), headers, defaultTextMapSetter)
  return endWith(span, () => publish(headers))
}

/** Runs the handling of an event as a span in its publisher's trace, linked to the publishing span. */
export async function traceEvent<Result>(
  headers: Readonly<Record<string, string>>,
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  handle: () => Promise<Result>,
): Promise<Result> {
  const parent = propagation.extract(ROOT_CONTEXT, headers, defaultTextMapGetter)
  const producer = trace.getSpanContext(parent)
  const span = tracer.startSpan(
    `process ${name}`,
    {
      kind: SpanKind.CONSUMER,
      attributes: { 'messaging.system': 'kafka', 'messaging.operation.type': 'process', ...attributes },
      ...(producer ? { links: [{ context: producer }] } : {}),
    },
    parent,
  )
  return context.with(trace.setSpan(parent, span), () => endWith(span, handle))
}

/** Runs the handling of several events as a span of a trace of its own, linked to the spans that published them. */
export async function traceEvents<Result>(
  headers: readonly Readonly<Record<string, string>>[],
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  handle: () => Promise<Result>,
): Promise<Result> {
  const links = headers.flatMap((each) => {
    const producer = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, each, defaultTextMapGetter))
    return producer ? [{ context: producer }] : []
  })
  const fields = { 'messaging.system': 'kafka', 'messaging.operation.type': 'process', ...attributes }
  const options = { kind: SpanKind.CONSUMER, attributes: fields, links }
  const span = tracer.startSpan(`process ${name}`, options, ROOT_CONTEXT)
  return context.with(trace.setSpan(ROOT_CONTEXT, span), () => endWith(span, handle))
}

/** Returns a new traceparent: W3C Trace Context, version 00, not sampled. */
function newTraceparent(): string {
  const hex = (bytes: number) => randomBytes(bytes).toString('hex')
  return `00-${hex(16)}-${hex(8)}-00`
}

async function endWith<Result>(span: Span, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    // Omit the message, which may quote the published value or a statement with its parameters.
    span.setAttribute('error.type', error instanceof Error ? error.name : typeof error)
    span.setStatus({ code: SpanStatusCode.ERROR })
    throw error
  } finally {
    span.end()
  }
}

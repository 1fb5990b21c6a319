import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'

type Export = OTLPTraceExporter['export']
type FinishedSpan = Parameters<Export>[0][number]
type Attributes = FinishedSpan['attributes']

/** Attributes that may contain a ticket, a search, statement parameters, or quotes of them in errors. */
const withheld = ['url.query', 'exception.message', 'exception.stacktrace', 'user_agent.original']
const urls = ['url.full', 'http.url', 'http.target']

/**
 * Redacts secrets from every span before it is exported. `error.type` keeps the kind of an error; its text is
 * in the log under the same trace id.
 */
export class RedactingExporter extends OTLPTraceExporter {
  override export(...[spans, onResult]: Parameters<Export>): void {
    for (const span of spans) makeDiscreet(span)
    super.export(spans, onResult)
  }
}

export function makeDiscreet(span: Pick<FinishedSpan, 'attributes' | 'events' | 'status'>): void {
  scrub(span.attributes)
  for (const { attributes } of span.events) if (attributes) scrub(attributes)
  // Errors of stores quote keys and values.
  delete span.status.message
}

function scrub(attributes: Attributes): void {
  for (const name of withheld) delete attributes[name]
  for (const name of urls) {
    const value = attributes[name]
    if (typeof value === 'string') attributes[name] = value.split('?', 1)[0]
  }
}

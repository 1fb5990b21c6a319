import { z } from 'zod'
import { startHttpServer } from './http-server.ts'
import { waitFor } from './wait-for.ts'

const value = z.object({
  stringValue: z.string().optional(),
  intValue: z.union([z.string(), z.number()]).optional(),
})
const attributes = z.array(z.object({ key: z.string(), value })).default([])
const otlpSpan = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  attributes,
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
})
const otlpRequest = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(otlpSpan) })),
    }),
  ),
})

export interface CollectedSpan extends Omit<z.output<typeof otlpSpan>, 'attributes'> {
  readonly service: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface TraceCollector {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly endpoint: string
  readonly spans: readonly CollectedSpan[]
  /** All raw request bodies, for checking what must not be in them. */
  readonly bodies: readonly string[]
  /** The requested paths. */
  readonly paths: ReadonlySet<string>
  waitFor(matches: (span: CollectedSpan) => boolean, what: string): Promise<CollectedSpan>
  close(): Promise<void>
}

/** Creates an OTLP/HTTP collector (JSON) on loopback that stores everything received. */
export async function createTraceCollector(): Promise<TraceCollector> {
  const spans: CollectedSpan[] = []
  const bodies: string[] = []
  const paths = new Set<string>()
  const server = await startHttpServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString('utf8')
    paths.add(request.url ?? '')
    bodies.push(body)
    spans.push(...spansIn(body))
    response.setHeader('content-type', 'application/json').end('{}')
  })
  return {
    endpoint: server.url,
    spans,
    bodies,
    paths,
    waitFor: (matches, what) => waitFor(() => spans.find(matches), { timeoutMs: 20_000, what }),
    close: () => server.close(),
  }
}

function spansIn(body: string): CollectedSpan[] {
  return otlpRequest.parse(JSON.parse(body)).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = toRecord(resource.attributes)['service.name'] ?? ''
    return scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({ ...span, service, attributes: toRecord(span.attributes) })),
    )
  })
}

function toRecord(list: z.output<typeof attributes>): Record<string, string> {
  return Object.fromEntries(
    list.map(({ key, value: { stringValue, intValue } }) => [key, stringValue ?? String(intValue ?? '')]),
  )
}

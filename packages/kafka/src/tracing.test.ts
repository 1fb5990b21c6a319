import { AsyncLocalStorage } from 'node:async_hooks'
import { friendRequestAccepted } from '@bigtech/contracts'
import {
  type Context,
  type ContextManager,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  type TextMapPropagator,
  trace,
} from '@opentelemetry/api'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventRecord, type KafkaRecord } from './record.ts'
import { traceEvent, traceEvents, tracePublish } from './tracing.ts'

interface SeenSpan {
  readonly name: string
  readonly own: SpanContext
  readonly parent: SpanContext | undefined
  readonly links: readonly (SpanContext | undefined)[]
  ended: boolean
}

const TRACE_ID = 'a'.repeat(32)

/** A minimal SDK that records parent spans. */
function registerSdk(seen: SeenSpan[]): void {
  const startSpan = (name: string, options: SpanOptions = {}, parent = context.active()): Span => {
    const spanId = String(seen.length + 1).padStart(16, '0')
    const own = { traceId: TRACE_ID, spanId, traceFlags: 1 }
    const links = (options.links ?? []).map((link) => link.context)
    const entry: SeenSpan = { name, own, parent: trace.getSpanContext(parent), links, ended: false }
    seen.push(entry)
    const span = {
      spanContext: () => own,
      setAttribute: () => span,
      setStatus: () => span,
      end: () => {
        entry.ended = true
      },
    }
    return span as unknown as Span
  }
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) as never })
  propagation.setGlobalPropagator(w3c)
  context.setGlobalContextManager(contextManager())
}

/** Test files of a worker share OpenTelemetry's globals. */
function unregisterSdk(): void {
  for (const api of [trace, propagation, context]) api.disable()
}

const w3c: TextMapPropagator = {
  fields: () => ['traceparent'],
  inject: (from, carrier, setter) => {
    const span = trace.getSpanContext(from)
    if (span) setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-01`)
  },
  extract: (into, carrier, getter) => {
    const [, traceId, spanId] = String(getter.get(carrier, 'traceparent') ?? '').split('-')
    return traceId && spanId ? trace.setSpanContext(into, { traceId, spanId, traceFlags: 1 }) : into
  },
}

function contextManager(): ContextManager {
  const storage = new AsyncLocalStorage<Context>()
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, fn, thisArg, ...args) => storage.run(active, () => fn.apply(thisArg as never, args)),
    bind: (_context, target) => target,
    enable: () => manager,
    disable: () => manager,
  }
  return manager
}

const newRecord = () =>
  eventRecord(
    friendRequestAccepted,
    friendRequestAccepted.create({ request_id: 1, from_user_id: 1, to_user_id: 2 }, { correlationId: 'r' }),
    'test',
  )

async function sentHeaders(record: KafkaRecord): Promise<Readonly<Record<string, string>>> {
  let sent: Readonly<Record<string, string>> = {}
  await tracePublish(record, async (headers) => {
    sent = headers
  })
  return sent
}

describe('with tracing off', () => {
  it('every published record carries a trace, its own or a new one', async () => {
    const record = newRecord()
    expect((await sentHeaders(record)).traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    const traced = { ...record, headers: { ...record.headers, traceparent: '00-x-y-01' } }
    expect(await sentHeaders(traced)).toEqual(traced.headers)
  })
})

describe('with tracing on', () => {
  // Registered once per process, as in a service.
  const seen: SeenSpan[] = []
  afterAll(unregisterSdk)
  beforeAll(() => registerSdk(seen))
  beforeEach(() => {
    seen.length = 0
  })

  it('one trace spans the request, the relay and the consumer', async () => {
    const request = trace.getTracer('test').startSpan('POST')
    const record = context.with(trace.setSpan(ROOT_CONTEXT, request), newRecord)
    expect(record.headers.traceparent).toBe(`00-${TRACE_ID}-${request.spanContext().spanId}-01`)

    // The relay runs later, outside the request.
    const headers = await sentHeaders(record)
    const inHandler = await traceEvent(headers, 'FriendRequestAccepted', {}, async () =>
      trace.getSpanContext(context.active()),
    )
    const [post, send, process] = seen
    expect(send).toMatchObject({
      name: 'send friend.events',
      parent: { spanId: post?.own.spanId },
      ended: true,
    })
    expect(process).toMatchObject({
      name: 'process FriendRequestAccepted',
      parent: { spanId: send?.own.spanId },
      links: [{ spanId: send?.own.spanId }],
      ended: true,
    })
    expect(inHandler).toEqual(process?.own)
  })

  it('events that are handled together have a trace of their own, linked to the spans that published them', async () => {
    const producers = ['1', '2'].map((digit) => ({ traceId: digit.repeat(32), spanId: digit.repeat(16) }))
    const headers = producers.map(({ traceId, spanId }) => ({ traceparent: `00-${traceId}-${spanId}-01` }))
    await traceEvents(headers, 'X', {}, async () => undefined)
    expect(seen[0]).toMatchObject({ name: 'process X', parent: undefined, links: producers, ended: true })
  })

  it('a failing handler ends its span and reports the error', async () => {
    const failing = traceEvent({}, 'X', {}, () => Promise.reject(new Error('x')))
    await expect(failing).rejects.toThrow('x')
    expect(seen[0]).toMatchObject({ ended: true, parent: undefined, links: [] })
  })
})

import { type CollectedSpan, createTraceCollector, type TraceCollector, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTracedSystem, type TracedSystem } from './traced-system.ts'

/** Secrets that must be in no span; each passes through another part of the system. */
const canaries = {
  password: 'Canary-pass-1!',
  content: 'canary-content',
  search: 'canary-search',
  ticket: 'canary-ticket',
  room: 'canary-room',
  clientMessageId: 'canary-message-id',
  bearer: 'canary-bearer',
  email: 'canary-mail',
  userAgent: 'canary-agent',
}

let collector: TraceCollector
let system: TracedSystem
let token: string
const ids = { user: 0, room: 0 }

async function call(base: string, method: string, path: string, body?: unknown, bearer = token) {
  const response = await fetch(base + path, {
    method,
    headers: {
      ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      'user-agent': canaries.userAgent,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json')
  return { status: response.status, body: isJson && text !== '' ? JSON.parse(text) : {} }
}

/** Reads the stream until aborted; `text` contains the received data. */
async function openStream(url: string) {
  const abort = new AbortController()
  const response = await fetch(`${url}/stream`, {
    headers: { authorization: `Bearer ${token}` },
    signal: abort.signal,
  })
  const stream = { text: '', close: () => abort.abort() }
  void (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body!) stream.text += decoder.decode(chunk, { stream: true })
  })().catch(() => undefined)
  await waitFor(() => stream.text.includes('event: reset'), { what: 'the first frame' })
  return stream
}

beforeAll(async () => {
  collector = await createTraceCollector()
  system = await startTracedSystem({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_BSP_SCHEDULE_DELAY: '200',
  })
  const account = {
    email: `${canaries.email}@example.com`,
    username: 'tracer',
    password: canaries.password,
  }
  const registered = await call(system.user.url, 'POST', '/auth/register', account, '')
  expect(registered.status, JSON.stringify(registered.body)).toBe(201)
  ids.user = registered.body.id
  const { email, password } = account
  const login = await call(system.user.url, 'POST', '/auth/login/json', { email, password }, '')
  token = login.body.access_token
  const room = await waitFor(async () => {
    const answer = await call(system.chat.url, 'POST', '/rooms', { name: canaries.room, member_ids: [] })
    return answer.status === 201 && answer.body
  }).catch((cause: unknown) => {
    throw new Error(`No room:\n${system.chat.lines.slice(-10).join('\n')}`, { cause })
  })
  ids.room = room.room_id
})
afterAll(async () => {
  await system?.stop()
  await collector?.close()
})

const inTrace = (traceId: string) => collector.spans.filter((span) => span.traceId === traceId)
const of = (spans: readonly CollectedSpan[], service: string, attribute: string, value: string) =>
  spans.filter((span) => span.service === service && span.attributes[attribute] === value)

/** Returns whether `span` is a descendant of `ancestor`. */
function isBelow(spans: readonly CollectedSpan[], span: CollectedSpan, ancestor: CollectedSpan): boolean {
  for (let at: CollectedSpan | undefined = span; at; ) {
    const parentId: string | undefined = at.parentSpanId
    if (parentId === ancestor.spanId) return true
    at = spans.find(({ spanId }) => spanId === parentId)
  }
  return false
}

describe('one message', () => {
  let post: CollectedSpan
  let spans: CollectedSpan[]
  const processed = () =>
    spans.filter(({ service, name }) => service === 'analytics-service' && name === 'process MessageSent')

  beforeAll(async () => {
    const stream = await openStream(system.chat.url)
    const sent = await call(system.chat.url, 'POST', `/messages/${ids.room}`, {
      content: canaries.content,
      client_message_id: canaries.clientMessageId,
    })
    expect(sent.status).toBe(201)
    await waitFor(() => stream.text.includes(canaries.content), { what: 'the frame' })
    stream.close()
    post = await collector.waitFor(
      ({ service, name }) => service === 'chat-service' && name === 'POST /messages/:room_id',
      'the span of the request',
    )
    const process = await collector.waitFor(
      ({ name, service, traceId }) =>
        traceId === post.traceId && service === 'analytics-service' && name === 'process MessageSent',
      'the span of the consumer',
    )
    await collector.waitFor(
      ({ service, parentSpanId }) => service === 'analytics-service' && parentSpanId === process.spanId,
      'what the consumer did',
    )
    // Each process exports its spans independently.
    const inChat = (what: RegExp) =>
      collector.waitFor(
        ({ service, name, traceId }) =>
          traceId === post.traceId && service === 'chat-service' && what.test(name),
        String(what),
      )
    await Promise.all([inChat(/^send .*message\.events$/), inChat(/^frame message$/)])
    // A span is exported after those below it.
    const isComplete = () => {
      spans = inTrace(post.traceId)
      const known = new Set(spans.map(({ spanId }) => spanId))
      return spans.every((span) => span.spanId === post.spanId || known.has(span.parentSpanId ?? ''))
    }
    await waitFor(isComplete, { what: 'the parent of every span' })
  })

  it("a message is one trace from the POST through the outbox and Kafka to another service's consumer", () => {
    const [send] = spans.filter(({ name }) => name.endsWith('message.events') && name.startsWith('send'))
    const [process] = processed()
    expect(send).toMatchObject({ service: 'chat-service', parentSpanId: post.spanId })
    expect(process).toMatchObject({ service: 'analytics-service', parentSpanId: send!.spanId })
    expect(process!.links).toEqual([expect.objectContaining({ spanId: send!.spanId })])
  })

  it("the frame of a message is in the message's trace, linked to the sending request", () => {
    const [frame] = spans.filter(({ name }) => name === 'frame message')
    expect(frame).toMatchObject({ service: 'chat-service', parentSpanId: post.spanId })
    expect(frame!.links).toEqual([expect.objectContaining({ traceId: post.traceId, spanId: post.spanId })])
  })

  it.each(['mongodb', 'redis'])("a trace shows the request's operations on %s under the request", (store) => {
    const asked = of(spans, 'chat-service', 'db.system.name', store)
    expect(asked.length, spans.map(({ name }) => name).join(', ')).toBeGreaterThan(0)
    for (const span of asked) expect(isBelow(spans, span, post), span.name).toBe(true)
  })

  it("a trace shows the consumer's MySQL statements under its event", () => {
    const [process] = processed()
    const written = of(spans, 'analytics-service', 'db.system.name', 'mysql')
    expect(written.map(({ name }) => name)).toContain('INSERT inbox')
    for (const span of written) expect(isBelow(spans, span, process!), span.name).toBe(true)
  })
})

it("a trace shows a request's MySQL statements including transactions under the request", async () => {
  // A send may not query MySQL, because active rooms are cached.
  const post = await collector.waitFor(
    ({ name, attributes }) => name === 'POST /rooms' && attributes['http.response.status_code'] === '201',
    'the request',
  )
  const spans = inTrace(post.traceId)
  const asked = of(spans, 'chat-service', 'db.system.name', 'mysql').filter((span) =>
    isBelow(spans, span, post),
  )
  expect(asked.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['BEGIN', 'INSERT rooms', 'INSERT outbox', 'COMMIT']),
  )
})

it("a sign-up is one trace from user-service to chat-service's copy", async () => {
  const post = await collector.waitFor(({ name }) => name === 'POST /auth/register', 'the request')
  const process = await collector.waitFor(
    ({ service, name, traceId }) =>
      traceId === post.traceId && service === 'chat-service' && name === 'process UserRegistered',
    'the consumer in chat-service',
  )
  await collector.waitFor(
    ({ service, traceId, parentSpanId }) =>
      service === 'chat-service' && traceId === process.traceId && parentSpanId === process.spanId,
    'what it wrote',
  )
  // Each process exports its spans in batches: those of the stores may arrive last.
  const stores = (name: string) => of(inTrace(post.traceId), 'user-service', 'db.system.name', name)
  await waitFor(() => stores('mysql').some(({ name }) => name === 'INSERT outbox'), { what: 'the outbox' })
  await waitFor(() => stores('redis').length > 0, { what: 'what it wrote to Redis' })
})

/** As OTLP numbers them: what a trace may begin with. */
const beginnings = [2, 4]

it('a trace begins with a request or an event: polls, probes and scrapes create none', async () => {
  for (const path of ['/health', '/ready', '/live', '/metrics']) await call(system.chat.url, 'GET', path)
  await call(system.chat.url, 'GET', '/rooms')
  await collector.waitFor(({ name }) => name === 'GET /rooms', 'a later request')
  const roots = collector.spans.filter(({ parentSpanId }) => !parentSpanId)
  const strange = roots.filter(
    ({ kind, name }) => !beginnings.includes(kind) || /health|ready|live|metrics/.test(name),
  )
  expect(strange.map(({ service, name }) => `${service}: ${name}`)).toEqual([])
  expect([...collector.paths]).toEqual(['/v1/traces'])
})

it('no span contains a password, a token, a ticket, a query, content, or an error text', async () => {
  const { user, chat } = system
  const { email, password } = { email: `${canaries.email}@example.com`, password: canaries.password }
  const answers = await Promise.all([
    call(user.url, 'POST', '/auth/register', { email, username: 'other', password }, ''),
    call(user.url, 'POST', '/auth/login/json', { email, password: `${password}x` }, ''),
    call(user.url, 'GET', `/users/search?q=${canaries.search}`),
    call(chat.url, 'GET', `/messages/search?q=${canaries.search}&room_id=${ids.room}`),
    call(chat.url, 'GET', `/stream?ticket=${canaries.ticket}`, undefined, ''),
    call(chat.url, 'POST', `/messages/${ids.room}`, {
      content: `${canaries.content} other`,
      client_message_id: canaries.clientMessageId,
    }),
    call(chat.url, 'GET', '/rooms', undefined, canaries.bearer),
  ])
  expect(answers.map(({ status }) => status)).toEqual([400, 401, 200, 200, 401, 409, 401])
  const last = await call(chat.url, 'GET', `/rooms/${ids.room}`)
  expect(last.status).toBe(200)
  await collector.waitFor(({ name }) => name === 'GET /rooms/:room_id', 'the last request')
  await collector.waitFor(({ name }) => name === 'GET /users/search', 'the search')
  const all = collector.bodies.join('\n')
  for (const [what, canary] of Object.entries({ ...canaries, token: token.slice(0, 40) })) {
    const at = all.indexOf(canary)
    expect(at === -1 ? 'absent' : all.slice(at - 200, at + 60), what).toBe('absent')
  }
})

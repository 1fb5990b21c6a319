import { Agent } from 'node:http'
import { Readable } from 'node:stream'
import { waitFor } from '@bigtech/testkit'
import { describe, expect, test } from 'vitest'
import { fileLocation } from './echo-server.ts'
import { call, echoOf, freshAddress, open } from './http-call.ts'
import { forwarded, notServices, unreachable } from './route-table.ts'

export interface GatewayUnderTest {
  readonly url: string
  /** Control API of the echo servers. */
  readonly control: string
}

const mebibyte = 1_048_576
const problemOf = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>

/**
 * Tests every gateway in front of echo servers; it must trust our `X-Forwarded-For`, so that each test has a
 * separate rate limit.\n`gateway` is evaluated when a test runs.
 */
export function describeGateway(name: string, gateway: () => GatewayUnderTest): void {
  describe(name, () => {
    describeRoutes(gateway)
    describeLimits(gateway)
    describeHeaders(gateway)
    describeStreams(gateway)
    describeFiles(gateway)
    describeConnections(gateway)
  })
}

function describeRoutes(gateway: () => GatewayUnderTest): void {
  test.each(forwarded)('$method $path reaches $service as $upstreamPath', async (expected) => {
    const echoed = await echoOf(gateway().url, expected.path, { method: expected.method })
    expect(echoed).toMatchObject({
      service: expected.service,
      method: expected.method,
      url: expected.upstreamPath,
    })
  })

  test.each(unreachable)('$method $path reaches no service', async ({ method, path, status }) => {
    const answer = await call(gateway().url, path, { method })
    expect(answer.headers['x-echo-service']).toBeUndefined()
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(problemOf(answer.text)).toMatchObject({
      code: 'ROUTE_NOT_FOUND',
      status,
      request_id: answer.headers['x-request-id'],
    })
  })

  test.each(notServices)('%s at the root is not served by a service', async (path) => {
    const answer = await call(gateway().url, path)
    expect(answer.headers['x-echo-service'] ?? 'web-client').toBe('web-client')
  })

  test('serves the page at /', async () => {
    const answer = await call(gateway().url, '/')
    expect(answer.status).toBe(200)
    expect(answer.headers['content-security-policy']).toContain("default-src 'self'")
  })

  test('responds to its own health check', async () => {
    const answer = await call(gateway().url, '/health')
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.text)).toEqual({ status: 'healthy', service: 'Gateway' })
  })
}

function describeLimits(gateway: () => GatewayUnderTest): void {
  test('an address gets 100 responses a minute with the limit in each, then 429, without affecting other addresses', async () => {
    const headers = { 'x-forwarded-for': freshAddress() }
    await awayFromMinuteEnd()
    const first = await call(gateway().url, '/api/users/5', { headers })
    expect(first.headers).toMatchObject({
      'ratelimit-limit': '100',
      'ratelimit-remaining': '99',
      'x-ratelimit-limit-minute': '100',
      'x-ratelimit-remaining-minute': '99',
    })
    expect(Number(first.headers['ratelimit-reset'])).toBeGreaterThan(0)
    for (let count = 2; count <= 100; count += 1) {
      // Different paths and services share the limit, including unknown paths.
      const answer = await call(gateway().url, count % 2 ? '/api/rooms' : '/api/unknown', { headers })
      expect(answer.status, `request ${count}`).toBe(count % 2 ? 200 : 404)
    }
    const refused = await call(gateway().url, '/api/friends', { headers })
    expect(refused.status).toBe(429)
    expect(refused.headers['x-echo-service']).toBeUndefined()
    expect(problemOf(refused.text)).toMatchObject({ code: 'RATE_LIMITED', status: 429 })
    const retryAfter = Number(refused.headers['retry-after'])
    expect(retryAfter).toBeGreaterThan(0)
    expect(retryAfter).toBeLessThanOrEqual(60)
    expect(refused.headers).toMatchObject({ 'ratelimit-limit': '100', 'ratelimit-remaining': '0' })
    expect((await call(gateway().url, '/api/friends')).status).toBe(200)
  })

  test('a signed-in session has its own limit, and static files are not counted', async () => {
    const headers = { 'x-forwarded-for': freshAddress() }
    const token = `Bearer aa.${freshAddress().replaceAll('.', '-')}.cc`
    await awayFromMinuteEnd()
    for (let count = 1; count <= 30; count += 1) await call(gateway().url, '/', { headers })
    const page = await call(gateway().url, '/', { headers })
    expect(page.headers['ratelimit-limit']).toBe('3000')
    for (let count = 1; count <= 120; count += 1) {
      const answer = await call(gateway().url, '/api/rooms', {
        headers: { ...headers, authorization: token },
      })
      expect(answer.status, `request ${count}`).toBe(200)
    }
    const signedIn = await call(gateway().url, '/api/rooms/7', {
      headers: { ...headers, authorization: token },
    })
    expect(signedIn.headers).toMatchObject({ 'ratelimit-limit': '1200', 'ratelimit-remaining': '1079' })
    expect(JSON.parse(signedIn.text)).toMatchObject({ url: '/rooms/7' })
    // An invalid token is counted by address, and nothing above was.
    const other = await call(gateway().url, '/api/rooms', {
      headers: { ...headers, authorization: 'Bearer x' },
    })
    expect(other.headers).toMatchObject({ 'ratelimit-limit': '100', 'ratelimit-remaining': '99' })
    const signIn = await call(gateway().url, '/api/auth/login/json', {
      headers: { ...headers, authorization: token },
    })
    expect(signIn.headers['ratelimit-limit']).toBe('100')
  })

  test('a body of 1 MiB passes, and one more byte gets 413, with or without a declared length', async () => {
    const post = (bytes: number, chunked: boolean) =>
      call(gateway().url, '/api/messages/7', { method: 'POST', body: Buffer.alloc(bytes, 'a'), chunked })
    for (const chunked of [false, true]) {
      const whole = await post(mebibyte, chunked)
      expect(JSON.parse(whole.text)).toMatchObject({ bodyBytes: mebibyte })
      const refused = await post(mebibyte + 1, chunked)
      expect(refused.status).toBe(413)
      expect(problemOf(refused.text)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
      expect(refused.headers['x-echo-service']).toBeUndefined()
    }
  })
}

function describeHeaders(gateway: () => GatewayUnderTest): void {
  const allowed = 'http://localhost:8000'
  const foreign = 'https://evil.example'
  const preflight = (origin: string) =>
    call(gateway().url, '/api/messages/7', {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    })

  test('pages of an allowed origin may read responses, pages of another origin may not', async () => {
    const yes = await call(gateway().url, '/api/rooms', { headers: { origin: allowed } })
    expect(yes.headers['access-control-allow-origin']).toBe(allowed)
    expect(String(yes.headers['access-control-expose-headers']).toLowerCase()).toContain('x-request-id')
    const no = await call(gateway().url, '/api/rooms', { headers: { origin: foreign } })
    expect(no.headers['access-control-allow-origin']).toBeUndefined()
    // A shared cache must not mix origins; the upstream's own Vary is kept.
    expect(varyOf(yes.headers.vary)).toEqual(expect.arrayContaining(['origin', 'accept-language']))
    expect(varyOf(no.headers.vary)).toContain('origin')
  })

  test('the gateway responds to preflights, and permits allowed origins only', async () => {
    const yes = await preflight(allowed)
    expect(yes.status).toBe(200)
    expect(yes.headers['x-echo-service']).toBeUndefined()
    expect(yes.headers['access-control-allow-origin']).toBe(allowed)
    expect(yes.headers['access-control-allow-methods']).toContain('PATCH')
    expect(String(yes.headers['access-control-allow-headers']).toLowerCase()).toContain('authorization')
    expect(yes.headers['access-control-max-age']).toBe('600')
    expect(yes.headers['access-control-allow-credentials']).toBeUndefined()
    expect((await preflight(foreign)).headers['access-control-allow-origin']).toBeUndefined()
  })

  test('errors of the gateway are readable for allowed origins too', async () => {
    const answer = await call(gateway().url, '/api/unknown', { headers: { origin: allowed } })
    expect(answer.headers['access-control-allow-origin']).toBe(allowed)
  })

  test('a request without an id gets one, and upstream and client see the same', async () => {
    const answer = await call(gateway().url, '/api/rooms')
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(JSON.parse(answer.text).headers['x-request-id']).toBe(answer.headers['x-request-id'])
  })

  test.each([
    ['abc-DEF_1.2345', true],
    ['short', false],
    ['a'.repeat(65), false],
    ['has a space in it', false],
    ['{"level":"error"}', false],
    ['-leading-dash-1', false],
  ])('keeps a client request id %j: %s', async (id, kept) => {
    const answer = await call(gateway().url, '/api/rooms', { headers: { 'x-request-id': id } })
    if (kept) expect(answer.headers['x-request-id']).toBe(id)
    else expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(JSON.parse(answer.text).headers['x-request-id']).toBe(answer.headers['x-request-id'])
  })

  test('the upstream receives authorization, last-event-id, and headers of 6 KiB', async () => {
    const sent = { authorization: `Bearer ${'x'.repeat(6_000)}`, 'last-event-id': '7:12' }
    const { headers } = await echoOf(gateway().url, '/api/rooms', { headers: sent })
    expect(headers).toMatchObject(sent)
  })

  test('a client cannot decide that its requests are traced', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    const { headers } = await echoOf(gateway().url, '/api/rooms', {
      headers: { traceparent, tracestate: 'vendor=1' },
    })
    expect(headers.traceparent).toBeUndefined()
    expect(headers.tracestate).toBeUndefined()
  })

  test('responses have security headers', async () => {
    for (const path of ['/api/rooms', '/api/unknown', '/']) {
      const { headers } = await call(gateway().url, path)
      expect(headers, path).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
      })
      expect(headers['content-security-policy'], path).toContain("frame-ancestors 'none'")
    }
  })
}

function describeStreams(gateway: () => GatewayUnderTest): void {
  test('the first event arrives while the upstream is still writing, and a disconnecting client closes the upstream', async () => {
    const before = await openStreams(gateway())
    const response = await open(gateway().url, '/api/stream?ticket=abc')
    const [first] = await firstChunk(response)
    expect(first).toContain('event: ready')
    expect(response.headers['content-type']).toBe('text/event-stream')
    expect(await openStreams(gateway())).toBe(before + 1)
    response.destroy()
    await upstreamClosed(gateway(), before)
  })

  test('the headers of a stream arrive before its first event', async () => {
    const before = await openStreams(gateway())
    const response = await open(gateway().url, '/api/stream?quiet')
    expect(response.headers['content-type']).toBe('text/event-stream')
    response.destroy()
    await upstreamClosed(gateway(), before)
  })

  test('a client that disconnects before any response closes the upstream too', async () => {
    const before = await openStreams(gateway())
    const agent = new Agent()
    const pending = open(gateway().url, '/api/rooms/never', { agent }).catch(() => null)
    await waitFor(async () => (await openStreams(gateway())) === before + 1, {
      what: 'the request to arrive',
    })
    agent.destroy()
    await upstreamClosed(gateway(), before)
    await pending
  })
}

function describeFiles(gateway: () => GatewayUnderTest): void {
  const authorization = 'Bearer aa.bb.cc'
  const upload = (body: Readable, contentLength: number) =>
    call(gateway().url, '/api/files', {
      method: 'POST',
      body,
      headers: { authorization, 'content-length': String(contentLength) },
    })

  test('an upload of several MB reaches the service while it is still being sent', async () => {
    const before = await arrivedBytes(gateway())
    async function* chunks(): AsyncGenerator<Buffer> {
      for (let sent = 1; sent <= 4; sent += 1) {
        yield Buffer.alloc(mebibyte, 'a')
        await waitFor(async () => (await arrivedBytes(gateway())) >= before + sent * mebibyte - 65_536, {
          what: `MiB ${sent} to arrive`,
        })
      }
    }
    const answer = await upload(Readable.from(chunks()), 4 * mebibyte)
    expect(JSON.parse(answer.text)).toMatchObject({
      service: 'media-service',
      bodyBytes: 4 * mebibyte,
      headers: { 'content-length': String(4 * mebibyte) },
    })
  })

  test('an upload may have 51 MiB, and one that declares more gets 413 before it is sent', async () => {
    const nothing = () => new Readable({ read: () => undefined })
    const refused = await upload(nothing(), 51 * mebibyte + 1)
    expect(refused.status).toBe(413)
    expect(refused.headers['x-echo-service']).toBeUndefined()
    expect(problemOf(refused.text)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    const allowed = await upload(Readable.from(Array(51).fill(Buffer.alloc(mebibyte))), 51 * mebibyte)
    expect(JSON.parse(allowed.text)).toMatchObject({ bodyBytes: 51 * mebibyte })
  })

  test('without a token, and on other paths, a body may have 1 MiB', async () => {
    const body = Buffer.alloc(mebibyte + 1)
    const post = (path: string, headers: Record<string, string>) =>
      call(gateway().url, path, { method: 'POST', body, headers })
    expect((await post('/api/files', {})).status).toBe(413)
    expect((await post('/api/files/uploads', { authorization })).status).toBe(413)
  })

  test('a claim of a file is unreachable, even when signed in', async () => {
    const answer = await call(gateway().url, '/api/files/7/claim', {
      method: 'POST',
      headers: { authorization },
    })
    expect(answer.headers['x-echo-service']).toBeUndefined()
    expect(answer.status).toBe(404)
  })

  test('a range of a file is 206 with the bytes of the range', async () => {
    const answer = await call(gateway().url, '/api/files/7/content', {
      headers: { authorization, range: 'bytes=2-4' },
    })
    expect(answer).toMatchObject({
      status: 206,
      text: '234',
      headers: { 'content-range': 'bytes 2-4/10', 'accept-ranges': 'bytes' },
    })
  })

  test('a redirect to the object store is passed to the client', async () => {
    const answer = await call(gateway().url, '/api/files/7/content?redirect=true', {
      headers: { authorization },
    })
    expect(answer).toMatchObject({ status: 302, headers: { location: fileLocation } })
  })
}

function describeConnections(gateway: () => GatewayUnderTest): void {
  test('a service that is down results in 503 with Retry-After within 2 s, and is used again after recovery', async () => {
    await call(gateway().control, '/stop/notification-service', { method: 'POST' })
    const started = performance.now()
    const answer = await call(gateway().url, '/api/notifications/preferences')
    expect(performance.now() - started).toBeLessThan(2_000)
    expect(answer.status).toBe(503)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect(problemOf(answer.text)).toMatchObject({
      code: 'UNAVAILABLE',
      status: 503,
      instance: '/api/notifications/preferences',
    })
    await call(gateway().control, '/start/notification-service', { method: 'POST' })
    await waitFor(async () => (await call(gateway().url, '/api/notifications/preferences')).status === 200)
  })

  test('an error of a service is passed through without a retry', async () => {
    const asked = async () =>
      JSON.parse((await call(gateway().url, '/api/rooms/busy')).text) as { asked: number }
    const answer = await call(gateway().url, '/api/rooms/busy')
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    const { asked: before } = JSON.parse(answer.text) as { asked: number }
    expect(await asked()).toEqual({ code: 'OVERLOADED', asked: before + 1 })
  })

  test('a POST that a service received is not repeated when the connection breaks', async () => {
    const cut = async () =>
      (JSON.parse((await call(gateway().control, '/streams')).text) as { cut: number }).cut
    const before = await cut()
    const answer = await call(gateway().url, '/api/rooms/cut', { method: 'POST' })
    expect(answer.status).toBe(503)
    expect(await cut()).toBe(before + 1)
  })

  test('one connection carries many requests', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number | undefined>()
    for (const path of ['/api/rooms', '/api/unknown', '/api/users/5', '/health']) {
      const response = await open(gateway().url, path, { agent })
      ports.add(response.socket.localPort)
      response.resume()
      await new Promise((resolve) => response.once('close', resolve))
    }
    agent.destroy()
    expect(ports.size).toBe(1)
  })

  test('HEAD has headers and no body; an OPTIONS that is no preflight belongs to the service', async () => {
    const head = await call(gateway().url, '/api/rooms', { method: 'HEAD' })
    expect(head).toMatchObject({ status: 200, text: '' })
    expect(head.headers['x-echo-service']).toBe('chat-service')
    expect(await echoOf(gateway().url, '/api/rooms', { method: 'OPTIONS' })).toMatchObject({
      method: 'OPTIONS',
    })
  })

  test('bodies of every type and method arrive completely', async () => {
    for (const [method, type, body] of [
      ['POST', 'application/json', '{"content":"안녕하세요!"}'],
      ['POST', 'application/x-www-form-urlencoded', 'username=a&password=b'],
      ['PATCH', 'application/merge-patch+json', '{}'],
      ['DELETE', 'application/json', '{"message_policy":"keep"}'],
    ] as const) {
      const headers = { 'content-type': `${type}; charset=utf-8` }
      const echoed = await echoOf(gateway().url, '/api/profile/me', { method, body, headers })
      expect(echoed).toMatchObject({ method, bodyBytes: Buffer.byteLength(body), headers })
    }
  })
}

async function openStreams({ control }: GatewayUnderTest): Promise<number> {
  return (JSON.parse((await call(control, '/streams')).text) as { open: number }).open
}

async function arrivedBytes({ control }: GatewayUnderTest): Promise<number> {
  return (JSON.parse((await call(control, '/streams')).text) as { arrivedBytes: number }).arrivedBytes
}

async function upstreamClosed(gateway: GatewayUnderTest, open: number): Promise<void> {
  const closed = async () => (await openStreams(gateway)) === open
  await waitFor(closed, { timeoutMs: 2_000, what: 'the upstream to close' })
}

function firstChunk(stream: NodeJS.ReadableStream): Promise<[string]> {
  return new Promise((resolve, reject) => {
    stream.once('data', (chunk: Buffer) => resolve([chunk.toString('utf8')])).once('error', reject)
  })
}

const varyOf = (value: string | undefined): string[] => (value ?? '').toLowerCase().split(/\s*,\s*/)

/** Kong counts per clock minute: the 101 requests must not span two of them. */
async function awayFromMinuteEnd(): Promise<void> {
  await waitFor(() => new Date().getSeconds() < 50, { timeoutMs: 15_000, intervalMs: 200 })
}

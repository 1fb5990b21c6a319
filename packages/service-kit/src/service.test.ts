import { type AddressInfo, connect } from 'node:net'
import { defineRoute } from '@bigtech/contracts'
import { context, propagation } from '@opentelemetry/api'
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  baseConfig,
  buildService,
  loadConfig,
  Problem,
  port,
  route,
  type Service,
  StoreUnavailable,
} from './index.ts'

const thing = defineRoute({
  operationId: 'createThing',
  method: 'POST',
  path: '/things/:id',
  tag: 'things',
  summary: 'Create a thing',
  params: z.object({ id: z.coerce.number().int().positive() }),
  body: z.strictObject({ name: z.string().trim().min(2) }),
  success: { status: 201, description: 'The thing.', schema: z.object({ id: z.int(), name: z.string() }) },
})
const forModerators = defineRoute({
  operationId: 'moderateThing',
  method: 'POST',
  path: '/moderated',
  tag: 'things',
  summary: 'For moderators',
  role: 'moderator',
  body: z.strictObject({ name: z.string() }),
  success: { status: 200, description: 'Done.', schema: z.object({ name: z.string() }) },
})
const failing = defineRoute({
  operationId: 'fail',
  method: 'GET',
  path: '/fail/:how',
  tag: 'things',
  summary: 'Fails',
  auth: 'public',
  params: z.object({ how: z.string() }),
  success: { status: 200, description: 'Never.', schema: z.object({ count: z.int() }) },
})

const formed = defineRoute({
  operationId: 'sendForm',
  method: 'POST',
  path: '/forms',
  tag: 'things',
  summary: 'Accept a form',
  auth: 'public',
  bodyType: 'form',
  deprecated: { since: '2026-01-27', sunset: '2026-07-27', instead: '`POST /things`' },
  body: z.object({ name: z.string() }),
  success: { status: 200, description: 'Its name.', schema: z.object({ name: z.string() }) },
})

/** Sends bytes to a server and returns everything until it closes the connection. */
function rawExchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('close', () => resolve(text)).on('error', reject)
  })
}

let service: Service
let sign: (claims?: JWTPayload, alg?: string) => Promise<string>
const open = defineRoute({
  operationId: 'getOpen',
  method: 'GET',
  path: '/open',
  tag: 'things',
  summary: 'Public operation',
  auth: 'public',
  success: { status: 200, description: 'It.', schema: z.object({ name: z.string() }) },
})
const lines: string[] = []
/** Headers that a handler passes on to neighbor services, outbox and Kafka. */
const carried: Record<string, string>[] = []

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'EdDSA', use: 'sig' }
  sign = (claims = {}) =>
    new SignJWT({ sid: 's1', username: 'mina', ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'k1' })
      .setSubject('7')
      .setIssuer('bigtech-user-service')
      .setAudience('bigtech-chat')
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey)
  service = await buildService({
    name: 'thing-service',
    title: 'Thing Service',
    description: 'Things.',
    config: loadConfig(z.object({ ...baseConfig.shape, PORT: port }), {
      PORT: '0',
      KAFKA_BROKERS: 'localhost:1',
      LOG_LEVEL: 'debug',
    }),
    keys: createLocalJWKSet({ keys: [jwk] }),
    logDestination: { write: (line) => void lines.push(line) },
  })
  route(service.app, thing, async ({ params, body }, ctx) => {
    await new Promise((resolve) => setImmediate(resolve))
    const carrier: Record<string, string> = {}
    propagation.inject(context.active(), carrier)
    carried.push(carrier)
    const result = { id: params.id, name: `${body.name} of ${ctx.actor.userId}`, password_hash: 'x' }
    return result
  })
  route(service.app, forModerators, ({ body }) => ({ name: body.name }))
  route(service.app, formed, ({ body }) => ({ name: body.name }))
  route(service.app, failing, ({ params }) => {
    if (params.how === 'result') return { count: 'not a number' as unknown as number }
    if (params.how === 'known') throw new Problem('EMAIL_TAKEN')
    if (params.how === 'outage') throw new StoreUnavailable('mysql', new Error('connect ECONNREFUSED'))
    throw new Error('the database password is hunter2')
  })
  await service.app.ready()
})
afterAll(() => service.stop())

const post = async (body: unknown, headers: Record<string, string> = {}) =>
  service.app.inject({
    method: 'POST',
    url: '/things/3',
    headers: { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json', ...headers },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  })

describe('an operation that requires a role', () => {
  it.each([
    [undefined, 403],
    ['user', 403],
    ['Moderator', 403],
    ['moderator', 200],
    ['operator', 200],
  ])('responds to a token with the role %s with status %i', async (role, status) => {
    const answer = await service.app.inject({
      method: 'POST',
      url: '/moderated',
      headers: { authorization: `Bearer ${await sign(role === undefined ? {} : { role })}` },
      payload: { name: 'ab' },
    })
    expect(answer.statusCode).toBe(status)
    if (status === 403)
      expect(answer.json()).toMatchObject({
        code: 'ACCOUNT_ROLE_REQUIRED',
        detail: 'Requires the moderator role.',
      })
  })

  it('checks the role before it reads the body', async () => {
    const headers = { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json' }
    const answer = await service.app.inject({ method: 'POST', url: '/moderated', headers, payload: '{' })
    expect(answer.json().code).toBe('ACCOUNT_ROLE_REQUIRED')
  })
})

describe('the trace of a request without a collector', () => {
  // Over a real connection: the body's events come from the socket.
  const send = async (headers: Record<string, string> = {}) => {
    const url = await service.app.listen({ host: '127.0.0.1', port: 0 }).catch(() => {
      const { port } = service.app.server.address() as { port: number }
      return `http://127.0.0.1:${port}`
    })
    const answer = await fetch(`${url}/things/3`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ name: 'ab' }),
    })
    expect(answer.status).toBe(201)
    return carried.at(-1)?.traceparent
  }

  it("is the caller's trace, or a new one for each request", async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    expect(await send({ traceparent })).toBe(traceparent)
    const [one, other] = [await send(), await send({ traceparent: 'nonsense' })]
    expect(one).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    expect(other).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    expect(other).not.toBe(one)
  })
})

describe('buildService', () => {
  it('forbids caching of responses and problems', async () => {
    const answers = [
      await post({ name: 'ab' }),
      await post({ name: 'a' }),
      await service.app.inject('/things/%'),
      await service.app.inject('/nowhere'),
      await service.app.inject('/fail/known'),
    ]
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 422, 400, 404, 400])
    for (const { headers } of answers) expect(headers['cache-control']).toBe('no-store')
  })

  it('returns only the fields of the contract', async () => {
    const answer = await post({ name: ' ab ' })
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toEqual({ id: 3, name: 'ab of 7' })
  })

  it('returns 503 with Retry-After and without the cause while a store is unavailable', async () => {
    const answer = await service.app.inject('/fail/outage')
    expect(answer.statusCode).toBe(503)
    expect(answer.headers['retry-after']).toBe('2')
    expect(answer.json()).toMatchObject({ code: 'UNAVAILABLE', status: 503 })
    expect(answer.body).not.toMatch(/mysql|ECONNREFUSED/)
  })

  it.each([
    ['a body that is not JSON', '{"name":', 400, 'BODY_NOT_JSON'],
    ['a body with __proto__', '{"__proto__":{"a":1},"name":"ab"}', 400, 'BODY_NOT_JSON'],
    ['a wrong field', { name: 'a' }, 422, 'VALIDATION_FAILED'],
    ['an unknown field', { name: 'ab', admin: true }, 422, 'VALIDATION_FAILED'],
    ['no body', '', 422, 'VALIDATION_FAILED'],
    ['a body over the limit', { name: 'a'.repeat(300_000) }, 413, 'PAYLOAD_TOO_LARGE'],
  ])('rejects %s with a problem that names it', async (_case, body, status, code) => {
    const answer = await post(body)
    expect(answer.statusCode).toBe(status)
    expect(answer.headers['content-type']).toMatch('application/problem+json')
    expect(answer.json()).toMatchObject({ status, code, request_id: answer.headers['x-request-id'] })
    for (const field of ['type', 'title', 'detail', 'instance'])
      expect(answer.json()[field]).toEqual(expect.stringMatching(/\S/))
    if (status === 422) expect(answer.json().errors[0]).toMatchObject({ field: expect.any(String) })
  })

  it.each([
    ['text/csv', 'text/csv is not supported here. Send Content-Type: application/json.'],
    ['text/plain;charset=UTF-8', 'text/plain is not supported here. Send Content-Type: application/json.'],
    ['application/x-www-form-urlencoded', 'Send Content-Type: application/json.'],
    [undefined, 'The content type is missing. Send Content-Type: application/json.'],
    ['application/json; charset=euc-kr', 'Encode the body in UTF-8.'],
    ['application/json;charset="utf-16"', 'Encode the body in UTF-8.'],
  ])('rejects the content type %j with 415 and names the supported one', async (type, detail) => {
    const answer = await service.app.inject({
      method: 'POST',
      url: '/things/3',
      headers: { authorization: `Bearer ${await sign()}`, ...(type ? { 'content-type': type } : {}) },
      payload: '{"name":"ab"}',
    })
    expect(answer.statusCode).toBe(415)
    expect(answer.json()).toMatchObject({
      code: 'MEDIA_TYPE_UNSUPPORTED',
      detail: expect.stringContaining(detail),
    })
  })

  it.each(['application/json; charset=utf-8', 'APPLICATION/JSON;Charset="UTF-8"', 'application/json; x=y'])(
    'accepts JSON as %s',
    async (type) => {
      expect((await post('{"name":"ab"}', { 'content-type': type })).statusCode).toBe(201)
    },
  )

  it('rejects a body that is not UTF-8 and never stores replacement characters', async () => {
    for (const bytes of ['a\xff\xfe', 'a\xed\xa0\x80', 'a\xc0\x80', '\xb0\xa1\xb3\xaa']) {
      const answer = await service.app.inject({
        method: 'POST',
        url: '/things/3',
        headers: { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json' },
        payload: Buffer.from(`{"name":"${bytes}"}`, 'latin1'),
      })
      expect(answer.json()).toMatchObject({ status: 400, code: 'BODY_NOT_UTF8' })
    }
  })

  const form = (payload: string | Buffer, type = 'application/x-www-form-urlencoded') =>
    service.app.inject({ method: 'POST', url: '/forms', headers: { 'content-type': type }, payload })

  it('announces the end of a deprecated operation', async () => {
    const { headers } = await form('name=a')
    expect(headers.deprecation).toBe('@1769472000')
    expect(headers.sunset).toBe('Mon, 27 Jul 2026 00:00:00 GMT')
  })

  it('accepts a form where the operation expects one, and no JSON there', async () => {
    expect((await form('name=%EA%B0%80+b&other=%2B')).json()).toEqual({ name: '가 b' })
    const json = await form('{"name":"ab"}', 'application/json')
    expect(json.json()).toMatchObject({
      status: 415,
      detail: 'application/json is not supported here. Send Content-Type: application/x-www-form-urlencoded.',
    })
  })

  it.each([
    ['a malformed escape', 'name=%zz', 400],
    ['escaped bytes that are not UTF-8', 'name=%FF%FE', 400],
    ['bytes that are not UTF-8', Buffer.from('name=\xff', 'latin1'), 400],
    ['more fields than any form has', 'a&'.repeat(100_000), 400],
    ['a field given twice', 'name=a&name=b', 422],
    ['a field of the prototype', '__proto__=a', 422],
  ])('rejects a form with %s', async (_case, body, status) => {
    expect((await form(body)).statusCode).toBe(status)
  })

  it.each([
    ['a malformed header line', 'GET /health HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n', 400, 'BAD_REQUEST'],
    ['no HTTP', 'hello\r\n\r\n', 400, 'BAD_REQUEST'],
    [
      'headers beyond the limit',
      `GET /health HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
  ])('responds to %s with a problem', async (_case, bytes, status, code) => {
    if (!service.app.server.listening) await service.start()
    const { port } = service.app.server.address() as AddressInfo
    const text = await rawExchange(port, bytes)
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    const [, body = ''] = text.split('\r\n\r\n')
    expect(text).toContain('content-type: application/problem+json')
    expect(JSON.parse(body)).toMatchObject({ status, code, request_id: expect.stringMatching(/\S/) })
  })

  it.each([
    ['no token', undefined, 'NOT_AUTHENTICATED'],
    ['another scheme', 'Basic abc', 'TOKEN_INVALID'],
    ['rubbish', 'Bearer abc', 'TOKEN_INVALID'],
    ['an unsigned token', `Bearer ${btoa('{"alg":"none"}')}.${btoa('{"sub":"7"}')}.`, 'TOKEN_INVALID'],
  ])('returns 401 to %s before it reads the body', async (_case, authorization, code) => {
    const answer = await service.app.inject({
      method: 'POST',
      url: '/things/x',
      headers: authorization ? { authorization } : {},
    })
    expect(answer.statusCode).toBe(401)
    expect(answer.json().code).toBe(code)
  })

  it.each([
    ['without a session', { sid: undefined }],
    ['with another critical header claim type', { sid: 7 }],
  ])('returns 401 to a token %s', async (_case, claims) => {
    const answer = await post({ name: 'ab' }, { authorization: `Bearer ${await sign(claims as JWTPayload)}` })
    expect(answer.statusCode).toBe(401)
  })

  it('rejects a verified token as soon as its session is revoked', async () => {
    const headers = { authorization: `Bearer ${await sign({ sid: 'gone' })}` }
    expect((await post({ name: 'ab' }, headers)).statusCode).toBe(201)
    service.revocations.add(['gone'])
    const answer = await post({ name: 'ab' }, headers)
    expect(answer.json()).toMatchObject({ status: 401, code: 'SESSION_REVOKED' })
  })

  it('returns no detail of an unexpected error, and logs it', async () => {
    const answer = await service.app.inject('/fail/unknown')
    expect(answer.statusCode).toBe(500)
    expect(answer.body).not.toContain('hunter2')
    expect(lines.some((line) => line.includes('hunter2') && line.includes(answer.json().request_id))).toBe(
      true,
    )
  })

  it('returns the status and code of an expected problem', async () => {
    const answer = await service.app.inject('/fail/known')
    expect(answer.json()).toMatchObject({ status: 400, code: 'EMAIL_TAKEN', instance: '/fail/known' })
  })

  it('answers HEAD like GET, without a body', async () => {
    const answer = await service.app.inject({ method: 'HEAD', url: '/health' })
    expect(answer.statusCode).toBe(200)
    expect(answer.body).toBe('')
    const unknown = await service.app.inject({ method: 'HEAD', url: '/nothing' })
    expect(unknown.statusCode).toBe(404)
  })

  it('ignores a trailing slash of a path', async () => {
    expect((await service.app.inject('/health/')).json()).toMatchObject({ status: 'healthy' })
    expect((await service.app.inject('/fail/known/')).json().code).toBe('EMAIL_TAKEN')
  })

  it('returns 500 instead of sending a response that violates the contract', async () => {
    const answer = await service.app.inject('/fail/result')
    expect(answer.json()).toMatchObject({ status: 500, code: 'INTERNAL' })
    expect(answer.body).not.toContain('not a number')
  })

  it('distinguishes a wrong method from a wrong path', async () => {
    const wrongMethod = await service.app.inject({ method: 'PUT', url: '/things/3' })
    expect(wrongMethod.statusCode).toBe(405)
    expect(wrongMethod.headers.allow).toBe('POST')
    expect((await service.app.inject('/nothing')).json().code).toBe('ROUTE_NOT_FOUND')
  })

  it.each(['%zz', '%ff%fe', 'x'.repeat(200)])(
    'responds to a path that the router rejects with a problem: %s',
    async (part) => {
      const answer = await service.app.inject({
        url: `/fail/${part}?ticket=s`,
        headers: { 'x-request-id': 'r-1234567' },
      })
      expect(answer.statusCode).toBe(400)
      expect(answer.headers['content-type']).toBe('application/problem+json')
      expect(answer.headers['x-request-id']).toBe('r-1234567')
      expect(answer.json()).toMatchObject({ code: 'BAD_REQUEST', status: 400, request_id: 'r-1234567' })
      expect(answer.body).not.toContain('ticket')
    },
  )

  it('echoes a loggable request id, and replaces any other', async () => {
    const good = await service.app.inject({ url: '/health', headers: { 'x-request-id': 'abc-12345678' } })
    expect(good.headers['x-request-id']).toBe('abc-12345678')
    const bad = await service.app.inject({ url: '/health', headers: { 'x-request-id': 'a'.repeat(300) } })
    expect(bad.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('ends a request that is incomplete after 30 s', () => {
    expect(service.app.server.requestTimeout).toBe(30_000)
    expect(service.app.server.headersTimeout).toBeLessThan(30_000)
  })

  it('never logs a query string', async () => {
    await service.app.inject('/health?ticket=canary-ticket')
    expect(lines.join('')).not.toContain('canary-ticket')
  })

  it('the type of a problem links to its entry on the errors page', async () => {
    const problem = (await service.app.inject('/nothing')).json()
    const { pathname, hash } = new URL(problem.type, 'http://service')
    const page = await service.app.inject(pathname)
    expect(page.headers['content-type']).toMatch('text/html')
    expect(page.body).toContain(`id="${hash.slice(1)}"`)
    expect(hash).toBe(`#${problem.code}`)
  })

  it('times every use case by operation, including failures', async () => {
    const count = async (usecase: string) => {
      const { body } = await service.app.inject('/metrics')
      const line = new RegExp(
        `usecase_duration_seconds_count\\{[^}]*usecase="${usecase}"[^}]*\\} (\\d+)`,
      ).exec(body)
      return Number(line?.[1] ?? 0)
    }
    const before = await count('fail')
    await service.app.inject('/fail/unexpected')
    expect(await count('fail')).toBe(before + 1)
  })

  it('does not count probes and scrapes as requests', async () => {
    for (const path of ['/live', '/ready', '/health', '/metrics']) await service.app.inject(path)
    const { body } = await service.app.inject('/metrics')
    expect(body).not.toMatch(/http_requests_total\{[^}]*path="\/(live|ready|health|metrics)"/)
    expect(body).toMatch(/nodejs_heap_limit_bytes\{[^}]*\} \d{8,}/)
  })

  it('measures requests by route pattern', async () => {
    await post({ name: 'ab' })
    const { body } = await service.app.inject('/metrics')
    expect(body).toMatch(/http_requests_total\{[^}]*path="\/things\/:id"[^}]*service="thing-service"/)
    expect(body).not.toContain('/things/3')
  })

  it('documents every contract, including its problems', async () => {
    const document = (await service.app.inject('/openapi.json')).json()
    const operation = document.paths['/things/{id}'].post
    expect(operation.operationId).toBe('createThing')
    expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['201', '401', '422']))
    expect(operation.requestBody.content['application/json'].schema.properties.name.minLength).toBe(2)
    expect((await service.app.inject('/docs')).statusCode).toBe(200)
  })
})

describe('the access log', () => {
  const written = async (sample: string, url: string) => {
    const own: string[] = []
    const sampled = await buildService({
      name: 'sampled-service',
      title: 'Sampled Service',
      description: 'Logs some requests.',
      acceptsUserTokens: false,
      config: loadConfig(z.object({ ...baseConfig.shape, PORT: port }), {
        PORT: '0',
        KAFKA_BROKERS: 'localhost:1',
        ACCESS_LOG_SAMPLE: sample,
      }),
      logDestination: { write: (line) => void own.push(line) },
    })
    route(sampled.app, open, () => ({ name: 'x' }))
    await sampled.app.inject({ url, headers: { 'x-request-id': 'request-0001' } })
    await sampled.stop()
    return own.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request')
  }

  it('has the same fields for every request', async () => {
    const [line] = await written('1', '/open?q=secret')
    const { trace_id: _trace, span_id: _span, ...fields } = line
    expect([fields]).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        service: 'sampled-service',
        request_id: 'request-0001',
        method: 'GET',
        path: '/open',
        status: 200,
        duration_ms: expect.any(Number),
        ip: '127.0.0.1',
        msg: 'request',
      },
    ])
  })

  it('samples successful requests but never omits a failed one', async () => {
    expect(await written('0', '/open')).toEqual([])
    expect(await written('0', '/nowhere')).toMatchObject([{ status: 404 }])
  })
})

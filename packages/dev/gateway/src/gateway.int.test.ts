import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { RouteContract } from '@bigtech/contracts'
import * as contracts from '@bigtech/contracts'
import { createLogger, createMetrics, type Problem } from '@bigtech/service-kit'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket, { WebSocketServer } from 'ws'
import { type EchoServers, startEchoServers } from '../../../../tests/gateway/echo-server.ts'
import { describeGateway } from '../../../../tests/gateway/gateway-suite.ts'
import { call, echoOf, open } from '../../../../tests/gateway/http-call.ts'
import { secretPaths } from './access-log.ts'
import { buildAdmin } from './admin.ts'
import { buildGateway } from './app.ts'
import { readConfig } from './config.ts'
import { loadKongFile } from './kong/load.ts'
import type { KongDocument } from './kong/schema.ts'

let echo: EchoServers
let pageFolder: string

beforeAll(async () => {
  const names = ['user-service', 'friend-service', 'chat-service', 'media-service', 'notification-service']
  const anyPort = Object.fromEntries(names.map((name) => [name, 0]))
  echo = await startEchoServers(anyPort, { host: '127.0.0.1', controlPort: 0 })
  pageFolder = await mkdtemp(join(tmpdir(), 'bigtech-page-'))
  await writeFile(join(pageFolder, 'index.html'), '<!doctype html><title>page</title>')
  await writeFile(join(pageFolder, '.secret'), 'dot file')
})
afterAll(() => echo.close())

interface Running {
  readonly url: string
  readonly lines: Record<string, unknown>[]
  close(): Promise<void>
}

async function startGateway(
  env: Record<string, string> = {},
  change: (document: KongDocument) => void = () => {},
  wholeBodyMs?: number,
): Promise<Running> {
  const lines: Record<string, unknown>[] = []
  const config = readConfig({
    WEB_CLIENT_DIR: pageFolder,
    USER_SERVICE_URL: echo.urls.get('user-service') ?? '',
    FRIEND_SERVICE_URL: echo.urls.get('friend-service') ?? '',
    CHAT_SERVICE_URL: echo.urls.get('chat-service') ?? '',
    MEDIA_SERVICE_URL: echo.urls.get('media-service') ?? '',
    NOTIFICATION_SERVICE_URL: echo.urls.get('notification-service') ?? '',
    ...env,
  })
  const document = loadKongFile(config.KONG_CONFIG)
  change(document)
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  }
  const { app } = await buildGateway(
    document,
    config,
    createLogger({ service: 'gateway', level: 'info', destination }),
    wholeBodyMs,
  )
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, lines, close: () => app.close() }
}

describe('behind a trusted proxy', () => {
  let gateway: Running
  beforeAll(async () => {
    gateway = await startGateway({ TRUSTED_IPS: '127.0.0.1' })
  })
  afterAll(() => gateway.close())
  describeGateway('the Node gateway', () => ({ url: gateway.url, control: echo.controlUrl }))
})

describe('in front of clients', () => {
  let gateway: Running
  beforeAll(async () => {
    gateway = await startGateway({
      RATE_LIMIT_PER_MINUTE: '1000',
      CORS_ORIGINS: 'http://dev.example',
      OBJECT_STORE_URL: 'http://objects.example:7070/',
    })
  })
  afterAll(() => gateway.close())

  test("the gateway does not forward a client's claims about its origin", async () => {
    const spoofed = {
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-prefix': '/evil',
      'x-real-ip': '6.6.6.6',
      forwarded: 'for=6.6.6.6',
    }
    const { headers } = await echoOf(gateway.url, '/api/rooms', { headers: spoofed })
    expect(JSON.stringify(headers)).not.toMatch(/6\.6\.6\.6|evil/)
    expect(headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' })
  })

  test('the access log has one line per request with its id and upstream, and never a ticket or a token', async () => {
    const id = 'log-line-0001'
    const headers = { 'x-request-id': id, authorization: 'Bearer canary-token' }
    await call(gateway.url, '/api/rooms?ticket=canary-ticket', { headers })
    const line = await waitFor(() => gateway.lines.find((entry) => entry.request_id === id))
    expect(line).toMatchObject({
      level: 'info',
      service: 'gateway',
      msg: 'request',
      method: 'GET',
      path: '/api/rooms',
      status: 200,
      client_ip: '127.0.0.0/24',
      upstream_service: 'chat-service',
    })
    expect(line.duration_ms).toBeTypeOf('number')
    expect(gateway.lines.filter((entry) => entry.request_id === id)).toHaveLength(1)
    expect(JSON.stringify(gateway.lines)).not.toContain('canary')
  })

  test.each([
    '/api/rooms/join/',
    '//api/./rooms//jo%69n/',
    '/api/rooms/join/%2f',
    '/api/rooms/join%2F',
    '/api/rooms/%6aoin/',
    '/api/rooms/%256aoin/',
    '/api/rooms/Join/',
    '/API/Rooms/JOIN/',
  ])('the access log never contains the token of a join link: %s', async (path) => {
    const id = `join-${crypto.randomUUID()}`
    const answer = await call(gateway.url, `${path}canary-link`, {
      method: 'POST',
      headers: { 'x-request-id': id },
    })
    const line = await waitFor(() => gateway.lines.find((entry) => entry.request_id === id))
    expect(line).toMatchObject({ path: '/api/rooms/join/:token', status: answer.status })
    expect(JSON.stringify(gateway.lines)).not.toContain('canary')
  })

  test('CORS_ORIGINS replaces the list', async () => {
    const origin = 'http://dev.example'
    const answer = await call(gateway.url, '/api/rooms', { headers: { origin } })
    expect(answer.headers['access-control-allow-origin']).toBe(origin)
  })

  test('pages may upload to the object store in OBJECT_STORE_URL', async () => {
    const { headers } = await call(gateway.url, '/')
    expect(headers['content-security-policy']).toContain("connect-src 'self' http://objects.example:7070;")
  })

  test.each(['/..%2f..%2fetc/passwd', '/../../etc/passwd.txt', '/.secret', '/nothing.js', '/%ff'])(
    'the page directory serves nothing for %s',
    async (path) => {
      const answer = await call(gateway.url, path)
      expect([400, 404]).toContain(answer.status)
      expect((JSON.parse(answer.text) as Problem).code).toMatch(/ROUTE_NOT_FOUND|BAD_REQUEST/)
    },
  )

  test.each(['/rooms/7', '/join', '/etc/passwd'])(
    'an address of the app gets the document: %s',
    async (path) => {
      const answer = await call(gateway.url, path)
      expect(answer.status).toBe(200)
      expect(answer.text).toContain('<title>page</title>')
      expect(answer.headers['cache-control']).toBe('no-cache')
    },
  )

  test.each(['/docs', '/docs/errors'])('%s is a separate page', async (path) => {
    const gateway = await startGateway({
      WEB_CLIENT_DIR: join(import.meta.dirname, '../../../web-client/public'),
    })
    const answer = await call(gateway.url, path)
    await gateway.close()
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toMatch('text/html')
    expect(answer.text).toContain(
      '/docs/errors#JOIN_LINK_INVALID'.slice(path === '/docs' ? 0 : '/docs/errors#'.length),
    )
  })

  test('/api/openapi.json describes the API, and no other file of the page is below /api', async () => {
    const gateway = await startGateway({
      WEB_CLIENT_DIR: join(import.meta.dirname, '../../../web-client/public'),
    })
    const answer = await call(gateway.url, '/api/openapi.json')
    const [below, other] = [
      await call(gateway.url, '/api/openapi.json/x'),
      await call(gateway.url, '/api/icon.svg'),
    ]
    await gateway.close()
    expect(answer.headers['content-type']).toMatch('application/json')
    expect(JSON.parse(answer.text)).toMatchObject({
      openapi: expect.stringMatching(/^3\.1/),
      servers: [{ url: '/api' }],
    })
    expect([below.status, other.status]).toEqual([404, 404])
  })

  test('the type of a problem links to its entry on the errors page', async () => {
    const problem = JSON.parse((await call(gateway.url, '/api/nothing')).text) as Problem & { type: string }
    const { pathname, hash } = new URL(problem.type, gateway.url)
    const pages = join(import.meta.dirname, '../../../web-client/public')
    expect(readFileSync(join(pages, `${pathname}.html`), 'utf8')).toContain(`id="${hash.slice(1)}"`)
    expect(hash).toBe('#ROUTE_NOT_FOUND')
  })

  test('the control API of a local stack responds to its own page only', async () => {
    const dev = await startGateway({ STACK_CONTROL_URL: echo.urls.get('user-service') ?? '' })
    const from = (site: string, host?: string) =>
      call(dev.url, '/stack/processes/redis/stop', {
        method: 'POST',
        headers: { 'sec-fetch-site': site, ...(host ? { host } : {}) },
      })
    const own = await from('same-origin')
    expect(JSON.parse(own.text)).toMatchObject({ method: 'POST', url: '/processes/redis/stop' })
    expect((await from('cross-site')).status).toBe(403)
    expect((await from('same-origin', 'rebound.example')).status).toBe(403)
    expect((await call(gateway.url, '/stack/processes')).text).toContain('<title>page</title>')
    await dev.close()
  })

  test('the page rejects POST', async () => {
    const answer = await call(gateway.url, '/', { method: 'POST', body: '{}' })
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('GET, HEAD')
  })

  test('a page that is not built yet is explained', async () => {
    const empty = await startGateway({ WEB_CLIENT_DIR: join(pageFolder, 'nowhere') })
    const answer = await call(empty.url, '/')
    await empty.close()
    expect(answer.status).toBe(200)
    expect(answer.text).toContain('not built yet')
  })
})

test('the gateway masks every path in which a contract declares a secret', () => {
  const declared = Object.values<unknown>(contracts).filter(isSecretRoute)
  const paths = new Set(declared.map((contract) => `/api${contract.path}`))
  expect(secretPaths).toEqual([...paths])
})

test('an incomplete buffered request gets 408, while an upload continues', async () => {
  const gateway = await startGateway({}, () => {}, 200)
  const head = (path: string) =>
    `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer a.b.c\r\ncontent-length: 2\r\n\r\na`
  const upload = connect(Number(new URL(gateway.url).port), '127.0.0.1').setEncoding('utf8')
  upload.write(head('/api/files'))
  expect(await rawExchange(gateway.url, head('/api/rooms'))).toMatch(/^HTTP\/1\.1 408 /)
  expect(await rawExchange(gateway.url, head('/api/unknown'))).toMatch(/^HTTP\/1\.1 408 /)
  upload.write('b')
  const [answer] = await once(upload, 'data')
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  upload.destroy()
  await gateway.close()
})

test('an upload without a declared length gets 413 at the limit', async () => {
  const gateway = await startGateway()
  const answer = await call(gateway.url, '/api/files', {
    method: 'POST',
    chunked: true,
    headers: { authorization: 'Bearer a.b.c' },
    body: Readable.from([...Array(51).fill(Buffer.alloc(2 ** 20)), Buffer.alloc(1)]),
  })
  expect(answer.status).toBe(413)
  expect(JSON.parse(answer.text)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
  await gateway.close()
})

test('the gateway buffers no more of an upload than its upstream accepts', async () => {
  const upstream = createServer(() => {}).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const { port } = upstream.address() as AddressInfo
  const gateway = await startGateway({ MEDIA_SERVICE_URL: `http://127.0.0.1:${port}` })
  let sent = 0
  const body = new Readable({
    read() {
      sent += 65_536
      this.push(Buffer.alloc(65_536))
    },
  })
  const headers = { authorization: 'Bearer a.b.c', 'content-length': String(51 * 2 ** 20) }
  const pending = open(gateway.url, '/api/files', { method: 'POST', body, headers }).catch(() => null)
  // Nobody reads, so it stalls once the socket buffers are full.
  let last = -1
  await waitFor(
    () => {
      const stands = sent > 0 && sent === last
      last = sent
      return stands
    },
    { intervalMs: 300 },
  )
  expect(sent).toBeLessThan(40 * 2 ** 20)
  body.destroy()
  upstream.closeAllConnections()
  upstream.close()
  await pending
  await gateway.close()
})

test.each(['127.0.0.1', '::1'])(
  "the operators' port on %s accepts only this machine's names",
  async (host) => {
    const admin = buildAdmin(createMetrics('gateway'), host)
    const statusFor = async (name: string) =>
      (await admin.inject({ url: '/metrics', headers: { host: name } })).statusCode
    expect(await statusFor('rebound.example:8001')).toBe(403)
    expect(await statusFor('localhost:8001')).toBe(200)
    await admin.close()
  },
)

function isSecretRoute(value: unknown): value is RouteContract {
  return typeof value === 'object' && value !== null && 'secretPath' in value && value.secretPath === true
}

describe('with slow upstreams', () => {
  test('an upstream that does not respond within its read_timeout gets 504', async () => {
    const gateway = await startGateway({}, (document) => {
      for (const service of document.services) service.read_timeout = 200
    })
    const answer = await call(gateway.url, '/api/rooms/never')
    await gateway.close()
    expect(answer.status).toBe(504)
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'GATEWAY_TIMEOUT' })
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  })
})

describe('stopping', () => {
  test('open streams end cleanly and running requests are answered before the gateway is down within 2 s', async () => {
    const gateway = await startGateway()
    const streams = await Promise.all([1, 2, 3].map(() => open(gateway.url, '/api/stream')))
    const ends = Promise.all(streams.map(endOf))
    const running = call(gateway.url, '/api/rooms/held')
    await waitFor(async () => (await call(echo.controlUrl, '/')).text.includes('"held":1'))
    const started = performance.now()
    const closed = gateway.close()
    expect(await ends).toEqual(['end', 'end', 'end'])
    await call(echo.controlUrl, '/release', { method: 'POST' })
    expect((await running).status).toBe(200)
    await closed
    expect(performance.now() - started).toBeLessThan(2_000)
    await expect(call(gateway.url, '/health')).rejects.toThrow('ECONNREFUSED')
  })
})

describe('broken requests', () => {
  test.each([
    ['no HTTP', 'nonsense\r\n\r\n', 400, 'BAD_REQUEST'],
    [
      'headers beyond the limit',
      `GET /health HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
    [
      'two lengths',
      'POST /api/rooms HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      400,
      'BAD_REQUEST',
    ],
  ])(
    '%s gets a problem and the connection is closed, and the next client is served',
    async (_what, bytes, status, code) => {
      const gateway = await startGateway()
      const text = await rawExchange(gateway.url, bytes)
      expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
      expect(text).toContain(`"code":"${code}"`)
      expect((await call(gateway.url, '/health')).status).toBe(200)
      await gateway.close()
    },
  )
})

const endOf = (stream: NodeJS.ReadableStream): Promise<unknown> =>
  new Promise((resolve) =>
    stream
      .resume()
      .once('end', () => resolve('end'))
      .once('error', resolve),
  )

async function rawExchange(base: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(base).port), '127.0.0.1').setEncoding('utf8')
  socket.write(bytes)
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}

test("a WebSocket is proxied and ends with the gateway, and the upstream's refusal is a response", async () => {
  const upstream = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    verifyClient: ({ req }, done) => done(req.url === '/ws?ticket=good', 401, 'no'),
  })
  await once(upstream, 'listening')
  upstream.on('connection', (socket) => {
    socket.send('welcome')
    socket.on('message', (data) => socket.send(`echo ${data}`))
  })
  const { port } = upstream.address() as AddressInfo
  const gateway = await startGateway({ MEDIA_SERVICE_URL: `http://127.0.0.1:${port}` })
  const address = gateway.url.replace('http', 'ws')
  const refused = new WebSocket(`${address}/api/ws?ticket=bad`)
  const [, answer] = await once(refused, 'unexpected-response')
  expect(answer.statusCode).toBe(401)
  const unknown = new WebSocket(`${address}/api/unknown`)
  const [, missing] = await once(unknown, 'unexpected-response')
  expect(missing.statusCode).toBe(404)
  const socket = new WebSocket(`${address}/api/ws?ticket=good`)
  const received: string[] = []
  socket.on('message', (data) => received.push(String(data)))
  await once(socket, 'open')
  socket.send('hello')
  await waitFor(() => received.length === 2)
  expect(received).toEqual(['welcome', 'echo hello'])
  const closed = once(socket, 'close')
  await gateway.close()
  await closed
  upstream.close()
})

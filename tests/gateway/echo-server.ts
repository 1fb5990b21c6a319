import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Fakes every service: echoes requests, holds streams open, and can be stopped. */
export interface EchoServers {
  /** Base URL by service name. */
  readonly urls: ReadonlyMap<string, string>
  readonly controlUrl: string
  close(): Promise<void>
}

interface State {
  openStreams: number
  busyAnswers: number
  /** Requests to paths ending in `/cut`, which get no response. */
  cutRequests: number
  /** Bytes of request bodies received so far. */
  arrivedBytes: number
  /** Pending requests to paths ending in `/held`, answered on release. */
  readonly held: (() => void)[]
  readonly servers: Map<string, { server: Server; port: number }>
}

/** Starts the servers on the given ports; 0 selects a free one. */
export async function startEchoServers(
  ports: Readonly<Record<string, number>>,
  options: { host: string; controlPort: number },
): Promise<EchoServers> {
  const state: State = {
    openStreams: 0,
    busyAnswers: 0,
    cutRequests: 0,
    arrivedBytes: 0,
    held: [],
    servers: new Map(),
  }
  for (const [name, port] of Object.entries(ports)) {
    const server = createServer((request, response) => {
      // Handles a request that is interrupted in its body.
      echo(state, name, request, response).catch(() => response.destroy())
    })
    state.servers.set(name, { server, port: await listen(server, port, options.host) })
  }
  const control = createServer(
    (request, response) => void answerControl(state, options.host, request, response),
  )
  const controlPort = await listen(control, options.controlPort, options.host)
  return {
    urls: new Map([...state.servers].map(([name, { port }]) => [name, `http://127.0.0.1:${port}`])),
    controlUrl: `http://127.0.0.1:${controlPort}`,
    close: async () => {
      for (const server of [control, ...[...state.servers.values()].map((entry) => entry.server)])
        await stop(server)
    },
  }
}

async function echo(
  state: State,
  service: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('x-echo-service', service)
  if (request.url?.startsWith('/stream') && request.method === 'GET')
    return holdStream(state, request, response)
  // The test checks that no response arrives.
  if (request.url?.endsWith('/never')) return holdOpen(state, response)
  if (request.url?.endsWith('/busy')) return answerBusy(state, response)
  if (request.url?.endsWith('/held')) await new Promise<void>((resolve) => state.held.push(resolve))
  if (request.url?.endsWith('/content')) return sendRange(request, response)
  if (request.url?.endsWith('redirect=true'))
    return void response.writeHead(302, { location: fileLocation }).end()
  let bodyBytes = 0
  for await (const chunk of request) {
    bodyBytes += (chunk as Buffer).length
    state.arrivedBytes += (chunk as Buffer).length
  }
  if (request.url?.endsWith('/cut')) {
    state.cutRequests += 1
    return void request.socket.destroy()
  }
  const body = JSON.stringify({
    service,
    method: request.method,
    url: request.url,
    headers: request.headers,
    bodyBytes,
  })
  response.setHeader('content-type', 'application/json').setHeader('vary', 'Accept-Language')
  response.setHeader('x-request-id', 'from-the-upstream').setHeader('access-control-allow-origin', '*')
  response.end(request.method === 'HEAD' ? undefined : body)
}

function holdStream(state: State, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  if (request.url?.includes('quiet')) response.flushHeaders()
  else response.write('event: ready\ndata: {}\n\n')
  holdOpen(state, response)
}

/** Redirect target for paths ending in `redirect=true`. */
export const fileLocation = 'https://objects.example/file?signature=abc'

/** Sends ten digits, or the requested range of them. */
function sendRange({ headers }: IncomingMessage, response: ServerResponse): void {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
  if (first === undefined || last === undefined) return void response.end('0123456789')
  response.writeHead(206, { 'content-range': `bytes ${first}-${last}/10`, 'accept-ranges': 'bytes' })
  response.end('0123456789'.slice(Number(first), Number(last) + 1))
}

/** Sends the upstream's own 503 with the number of requests. */
function answerBusy(state: State, response: ServerResponse): void {
  state.busyAnswers += 1
  response.writeHead(503, { 'retry-after': '1', 'content-type': 'application/problem+json' })
  response.end(JSON.stringify({ code: 'OVERLOADED', asked: state.busyAnswers }))
}

function holdOpen(state: State, response: ServerResponse): void {
  state.openStreams += 1
  response.once('close', () => {
    state.openStreams -= 1
  })
}

/** Control API. GET /streams: open, held and received. POST /release, POST /stop/<service>, POST /start/<service>. */
async function answerControl(
  state: State,
  host: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, verb, name] = (request.url ?? '').split('/')
  const entry = state.servers.get(name ?? '')
  if (verb === 'stop' && entry) await stop(entry.server)
  if (verb === 'start' && entry) await listen(entry.server, entry.port, host)
  if (verb === 'release') for (const answer of state.held.splice(0)) answer()
  response.end(
    JSON.stringify({
      open: state.openStreams,
      held: state.held.length,
      arrivedBytes: state.arrivedBytes,
      cut: state.cutRequests,
    }),
  )
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return (server.address() as AddressInfo).port
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}

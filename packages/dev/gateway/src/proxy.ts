import { Readable } from 'node:stream'
import replyFrom, { type FastifyReplyFromOptions } from '@fastify/reply-from'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Agent, type Dispatcher } from 'undici'
import { hopByHop, upstreamRequestHeaders } from './client.ts'
import type { GatewayConfig } from './config.ts'
import { KongConfigError } from './kong/load.ts'
import type { Destination } from './kong/router.ts'
import type { KongDocument, KongService } from './kong/schema.ts'
import { sendProblem, upstreamProblem } from './problem.ts'

type UndiciOption = NonNullable<FastifyReplyFromOptions['undici']>
type Proxied = Extract<Destination, { kind: 'proxy' }>

type ResponseCallback = (error: Error | null, data: Dispatcher.ResponseData) => void

/** Passed with the headers to the HTTP client below; never sent. */
const abortSignal = Symbol('abortSignal')
type HeadersWithSignal = Record<string | symbol, unknown>

/** Proxies requests by `reply.from`, and ends open streams before the gateway closes. */
export async function useProxy(app: FastifyInstance, document: KongDocument): Promise<void> {
  const agent = new Agent({ connect: { timeout: connectTimeoutOf(document) } })
  await app.register(replyFrom, {
    undici: abortable(agent) as unknown as UndiciOption,
    disableRequestLogging: true,
    destroyAgent: true,
  })
  app.decorate('openStreams', new Set<() => void>())
  app.addHook('preClose', async () => {
    for (const end of app.openStreams) end()
  })
}

/** Forwards one request. A disconnecting client aborts its upstream request at any time. */
export function forward(
  request: FastifyRequest,
  reply: FastifyReply,
  target: Proxied,
  origin: string,
): FastifyReply {
  const query = queryOf(request.originalUrl)
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const hasBody = prepareBody(request)
  return reply.from(origin + target.upstreamPath, {
    timeout: target.service.read_timeout,
    queryString: () => query,
    // The plug-in's default repeats a GET ten times on 503.
    retryDelay: () => null,
    rewriteRequestHeaders: (_request, headers) => {
      const sent: HeadersWithSignal = {
        ...upstreamRequestHeaders(request, headers),
        [abortSignal]: gone.signal,
      }
      // A body that is not forwarded (of a GET) must not be announced either.
      if (!hasBody) delete sent['content-length']
      return sent as Record<string, string>
    },
    rewriteHeaders: (headers) =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => !isOurs(name))),
    onResponse: (_request, _reply, response) => {
      const { stream } = response as unknown as { stream: Readable }
      if (!target.route.response_buffering) keepStream(request.server, reply, stream)
      reply.send(stream)
    },
    onError: (_reply, { error }) => {
      // Nobody reads the response; the access log shows 499.
      if (gone.signal.aborted) reply.hijack()
      else sendProblem(request, reply, upstreamProblem(error))
    },
  })
}

/** Returns the origin for a host name in kong.yml: the configured URL, else the same port on this machine. */
export function upstreamOrigin(service: KongService, config: GatewayConfig): string {
  const configured: Record<string, string | undefined> = {
    'user-service': config.USER_SERVICE_URL,
    'friend-service': config.FRIEND_SERVICE_URL,
    'chat-service': config.CHAT_SERVICE_URL,
    'media-service': config.MEDIA_SERVICE_URL,
    'notification-service': config.NOTIFICATION_SERVICE_URL,
  }
  if (!(service.host in configured)) {
    throw new KongConfigError(
      `kong.yml: services ${service.name}: no address is known for host ${service.host}`,
    )
  }
  return new URL(configured[service.host] ?? `http://127.0.0.1:${service.port}`).origin
}

/** Sends headers immediately rather than with the first event, and ends streams cleanly when the gateway stops. */
function keepStream(app: FastifyInstance, reply: FastifyReply, stream: Readable): void {
  const { raw } = reply
  const end = (): void => {
    stream.unpipe(raw)
    raw.end()
  }
  app.openStreams.add(end)
  raw.once('close', () => app.openStreams.delete(end))
  raw.once('pipe', () => raw.flushHeaders())
}

/**
 * Returns whether there is a body to forward. `reply.from` would serialize a buffer as JSON; a stream is
 * forwarded unchanged.
 */
function prepareBody(request: FastifyRequest): boolean {
  const { body } = request
  if (Buffer.isBuffer(body)) request.body = body.length > 0 ? Readable.from([body]) : undefined
  return Buffer.isBuffer(body) || body instanceof Readable
}

function isOurs(name: string): boolean {
  return (
    hopByHop.has(name) ||
    name === 'x-request-id' ||
    name.startsWith('access-control-') ||
    name.startsWith('ratelimit-') ||
    name.startsWith('x-ratelimit-')
  )
}

function abortable(agent: Agent) {
  return {
    request(options: Dispatcher.RequestOptions, callback: ResponseCallback): void {
      const headers = options.headers as HeadersWithSignal
      const signal = headers[abortSignal] as AbortSignal
      delete headers[abortSignal]
      agent.request({ ...options, signal }, callback)
    },
    destroy: () => agent.destroy(),
  }
}

function connectTimeoutOf(document: KongDocument): number {
  const timeouts = new Set(document.services.map((service) => service.connect_timeout))
  const [timeout, other] = timeouts
  if (timeout === undefined || other !== undefined) {
    throw new KongConfigError('kong.yml: services.connect_timeout: this gateway has one for all services')
  }
  return timeout
}

/** Returns the query string unchanged. */
export function queryOf(url: string): string {
  const start = url.indexOf('?')
  return start < 0 ? '' : url.slice(start + 1)
}

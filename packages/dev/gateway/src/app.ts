import { answerBrokenRequest, createMetrics, requestIdFrom, requestLimits } from '@bigtech/service-kit'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify, LogController } from 'fastify'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { logRequests, measureRequests } from './access-log.ts'
import { receiveBodies } from './body.ts'
import type { GatewayConfig } from './config.ts'
import { createRouter, type Destination } from './kong/router.ts'
import type { KongDocument, KongTermination } from './kong/schema.ts'
import { usePlugins } from './plugins.ts'
import { answerProblems, pathOf, problemOfStatus, sendProblem } from './problem.ts'
import { forward, upstreamOrigin, useProxy } from './proxy.ts'
import { acceptSockets, isSocketRequest, openTunnel } from './sockets.ts'
import { controlStack, isForStack } from './stack-control.ts'
import { servePage, useWebPage } from './web-page.ts'

/** Time limit for receiving a buffered body. */
const WHOLE_BODY_MS = 30_000
/** Enough for a file of 50 MB over a slow connection; media-service ends stalled uploads. */
const LONGEST_UPLOAD_MS = 15 * 60_000

declare module 'fastify' {
  interface FastifyRequest {
    destination: Destination | null
  }
  interface FastifyInstance {
    /** Ends each open stream. */
    openStreams: Set<() => void>
  }
}

export interface Gateway {
  readonly app: FastifyInstance
  readonly registry: Registry
}

/** Builds the gateway described by kong.yml. It does not listen yet. */
export async function buildGateway(
  document: KongDocument,
  config: GatewayConfig,
  log: Logger,
  wholeBodyMs: number = WHOLE_BODY_MS,
): Promise<Gateway> {
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    trustProxy: config.TRUSTED_IPS ?? false,
    genReqId: (request) => requestIdFrom(request.headers['x-request-id']),
    // kong.yml is the router. A single catch-all route keeps Fastify's path interpretation out of it.
    rewriteUrl: () => '/',
    requestTimeout: LONGEST_UPLOAD_MS,
    http: {
      ...requestLimits(WHOLE_BODY_MS).http,
      requestTimeout: LONGEST_UPLOAD_MS,
      shouldUpgradeCallback: isSocketRequest,
    },
    forceCloseConnections: 'idle',
    clientErrorHandler: answerBrokenRequest,
  }) as unknown as FastifyInstance
  const registry = createMetrics('gateway')
  const route = createRouter(document)

  answerProblems(app)
  logRequests(app)
  measureRequests(app, registry)
  app.decorateRequest('destination', null)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    request.destination = route(pathOf(request), request.headers)
  })
  receiveBodies(app, document, wholeBodyMs)
  await usePlugins(app, document, config)
  await useProxy(app, document)
  acceptSockets(app)
  await useWebPage(app, config.WEB_CLIENT_DIR)
  app.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    exposeHeadRoute: false,
    url: '/',
    handler: createHandler(document, config),
  })
  return { app, registry }
}

function createHandler(document: KongDocument, config: GatewayConfig) {
  const origins = new Map(
    document.services
      .filter((service) => service.host !== 'web-client')
      .map((service) => [service.name, upstreamOrigin(service, config)]),
  )
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { destination } = request
    if (isForStack(request, config.STACK_CONTROL_URL))
      return controlStack(request, reply, config.STACK_CONTROL_URL as string)
    if (destination === null) return sendProblem(request, reply, problemOfStatus(404))
    if (destination.kind === 'termination') return terminate(request, reply, destination.termination)
    const origin = origins.get(destination.service.name)
    if (origin === undefined)
      return servePage(request, reply, destination.upstreamPath, config.WEB_CLIENT_DIR)
    if (isSocketRequest(request.raw)) return openTunnel(request, reply, destination, origin)
    return forward(request, reply, destination, origin)
  }
}

/** `request-termination` */
function terminate(request: FastifyRequest, reply: FastifyReply, termination: KongTermination): FastifyReply {
  if (termination.status_code >= 400)
    return sendProblem(request, reply, problemOfStatus(termination.status_code))
  return reply
    .code(termination.status_code)
    .type(termination.content_type ?? 'application/json')
    .send(termination.body ?? JSON.stringify({ message: termination.message ?? '' }))
}

import { Problem } from '@bigtech/service-kit'
import cors, { type FastifyCorsOptionsDelegateCallback } from '@fastify/cors'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { GatewayConfig } from './config.ts'
import { pluginOf } from './kong/load.ts'
import type { Destination } from './kong/router.ts'
import type { KongDocument, KongRoute } from './kong/schema.ts'

const unitBytes = { bytes: 1, kilobytes: 1_024, megabytes: 1_048_576 } as const

/** Returns the maximum body size from `request-size-limiting` of the route, else of all. */
export function bodyLimitOf(document: KongDocument, destination: Destination | null): number {
  const ofRoute =
    destination?.kind === 'proxy' ? routePlugin(destination.route, 'request-size-limiting') : null
  const { allowed_payload_size, size_unit } = (ofRoute ?? pluginOf(document, 'request-size-limiting')).config
  return allowed_payload_size * unitBytes[size_unit]
}

/** Registers the plug-ins in Kong's order: CORS responds to preflights before they are counted. */
export async function usePlugins(
  app: FastifyInstance,
  document: KongDocument,
  config: GatewayConfig,
): Promise<void> {
  await useCors(app, document, config)
  await useRateLimit(app, document, config)
  useResponseHeaders(app, document, config)
}

async function useCors(app: FastifyInstance, document: KongDocument, config: GatewayConfig): Promise<void> {
  const settings = pluginOf(document, 'cors').config
  const delegator: FastifyCorsOptionsDelegateCallback = (request, callback) => {
    callback(null, {
      origin: config.CORS_ORIGINS ?? settings.origins,
      methods: settings.methods,
      allowedHeaders: settings.headers,
      exposedHeaders: settings.exposed_headers,
      credentials: settings.credentials,
      maxAge: settings.max_age,
      optionsSuccessStatus: 200,
      // An OPTIONS that is no preflight belongs to the upstream.
      preflight: isPreflight(request),
    })
  }
  await app.register(cors, { delegator })
  app.addHook('onSend', async (_request, reply) => {
    // The upstream's own Vary has replaced the one set by the plug-in.
    const vary = String(reply.getHeader('vary') ?? '')
    if (!/\borigin\b|\*/i.test(vary)) reply.header('vary', vary ? `${vary}, Origin` : 'Origin')
  })
}

function isPreflight({ headers, method }: FastifyRequest): boolean {
  return method === 'OPTIONS' && !!headers.origin && !!headers['access-control-request-method']
}

async function useRateLimit(
  app: FastifyInstance,
  document: KongDocument,
  config: GatewayConfig,
): Promise<void> {
  const everywhere = pluginOf(document, 'rate-limiting').config
  await app.register(rateLimit, {
    max: (request) =>
      config.RATE_LIMIT_PER_MINUTE ?? (limitOf(request.destination)?.config ?? everywhere).minute,
    // Each plug-in of kong.yml counts separately; like Kong, a missing header is counted by address.
    keyGenerator: (request) => {
      const limit = limitOf(request.destination)
      const who = limit?.config.limit_by === 'header' ? request.headers.authorization : undefined
      return `${limit?.scope ?? ''} ${who ?? request.ip}`
    },
    timeWindow: 60_000,
    enableDraftSpec: true,
    // Number of remembered counters, evicted by least recent use.
    cache: 50_000,
    errorResponseBuilder: (_request, { ttl }) =>
      new Problem('RATE_LIMITED', { retryAfterSeconds: Math.max(1, Math.ceil(ttl / 1_000)) }),
  })
}

/** Returns the limit of a route or its service; undefined where the global one applies. */
function limitOf(destination: Destination | null) {
  if (destination?.kind !== 'proxy') return undefined
  const { route, service } = destination
  const ofRoute = routePlugin(route, 'rate-limiting')
  if (ofRoute) return { scope: `route ${route.name}`, config: ofRoute.config }
  const ofService = service.plugins?.find((plugin) => plugin.name === 'rate-limiting')
  return ofService ? { scope: `service ${service.name}`, config: ofService.config } : undefined
}

type RoutePlugin = NonNullable<KongRoute['plugins']>[number]

function routePlugin<Name extends RoutePlugin['name']>(route: KongRoute, name: Name) {
  const found = route.plugins?.find((plugin) => plugin.name === name)
  return found as Extract<RoutePlugin, { name: Name }> | undefined
}

/** Implements `response-transformer`: adds headers that the response does not have. */
function useResponseHeaders(
  app: FastifyInstance,
  document: KongDocument,
  { OBJECT_STORE_URL: store }: GatewayConfig,
): void {
  const parseHeaders = (lines: readonly string[]) => lines.map((line) => headerOf(line, store))
  const everywhere = parseHeaders(pluginOf(document, 'response-transformer').config.add.headers)
  const ofService = new Map(
    document.services.flatMap(({ name, plugins }) =>
      (plugins ?? [])
        .filter((plugin) => plugin.name === 'response-transformer')
        .map((plugin) => [name, parseHeaders(plugin.config.add.headers)] as const),
    ),
  )
  app.addHook('onSend', async (request, reply) => {
    const { destination } = request
    const own = destination?.kind === 'proxy' ? ofService.get(destination.service.name) : undefined
    for (const [name, value] of own ?? everywhere) {
      if (!reply.hasHeader(name)) reply.header(name, value)
    }
    // Kong sends the limit under both kinds of names.
    for (const name of ['limit', 'remaining'] as const) {
      const value = reply.getHeader(`ratelimit-${name}`)
      if (value !== undefined) reply.header(`x-ratelimit-${name}-minute`, value)
    }
  })
}

function headerOf(line: string, store: string | undefined): [string, string] {
  const colon = line.indexOf(':')
  const value = line.slice(colon + 1)
  return [
    line.slice(0, colon),
    store ? value.replace(/(connect-src 'self') [^ ;]+/, `$1 ${new URL(store).origin}`) : value,
  ]
}

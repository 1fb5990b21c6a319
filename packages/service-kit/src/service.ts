import { trace } from '@opentelemetry/api'
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify'
import type { JWTVerifyGetKey } from 'jose'
import type { DestinationStream, Logger } from 'pino'
import type { Registry } from 'prom-client'
import manifest from '../package.json' with { type: 'json' }
import { logRequests } from './access-log.ts'
import { installAuthentication, remoteKeys, type TokenSigning } from './auth.ts'
import { installBodyParsers } from './bodies.ts'
import { answerBrokenRequest } from './broken-request.ts'
import { limitConcurrency } from './concurrency-limit.ts'
import type { BaseConfig } from './config.ts'
import { requestIdFrom } from './context.ts'
import { installErrorHandler, pathOf, refuseUnroutable } from './error-handler.ts'
import { installHealth, Readiness } from './health.ts'
import { requestLimits } from './http-limits.ts'
import { Lifecycle } from './lifecycle.ts'
import { listenOnPort } from './listen.ts'
import { openLogFiles } from './log-files.ts'
import { createLogger, stdout } from './logging.ts'
import { Messaging } from './messaging.ts'
import { createMetrics, createUseCaseTimer, measureRequests } from './metrics.ts'
import { installOpenApi } from './openapi.ts'
import { JobRunner, type PeriodicJob, type ScheduledJob } from './periodic-jobs.ts'
import { RequestLog } from './request-log.ts'
import { pollRevocations, remoteRevocations } from './revocation-poll.ts'
import { RevocationList } from './revocations.ts'
import { installCompilers } from './route.ts'
import { propagateTraces } from './trace-propagation.ts'

const BODY_LIMIT_BYTES = 256 * 1024
const REQUEST_TIMEOUT_MS = 30_000
/** Longer than the idle timeout of any proxy in front, so that the proxy closes the connection. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000
const IDLE_CHECK_MS = 100
/**
 * Connections that the kernel accepts for a busy process; Linux limits it to `net.core.somaxconn`, 4096 by default. With Node's
 * default of 511 a reconnect storm overflows, and dropped clients try again after 1, 3 and 7 s.
 */
const LISTEN_BACKLOG = 4_096

export interface ServiceOptions {
  /** `user-service`: for logs and metrics. */
  readonly name: string
  /** `User Service`: for people. */
  readonly title: string
  readonly description: string
  readonly config: BaseConfig & { PORT: number }
  /** Destination of log lines; default stdout. */
  readonly logDestination?: DestinationStream
  /** user-service verifies with its own keys; every other service fetches them. */
  readonly keys?: JWTVerifyGetKey
  /** For user-service only: the signing key. */
  readonly signing?: TokenSigning
  /** False for a service that accepts no access tokens and therefore needs no revocations. */
  readonly acceptsUserTokens?: boolean
  /** Time limit for receiving a request. Longer than the default for large uploads. */
  readonly requestTimeoutMs?: number
}

/** The foundation of a service, which adds its stores, modules, subscriptions and periodic jobs. */
export interface Service {
  readonly name: string
  readonly app: FastifyInstance
  readonly log: Logger
  readonly metrics: Registry
  readonly lifecycle: Lifecycle
  readonly readiness: Readiness
  readonly revocations: RevocationList
  readonly messaging: Messaging
  /** Adds a consumer group `<service>.<purpose>`: one process of the group handles each event. */
  subscribe: Messaging['subscribe']
  /** Adds handlers that run on every process, for in-memory state. */
  subscribeEveryProcess: Messaging['subscribeEveryProcess']
  /** Adds a periodic job; it runs from `start` on. */
  every(job: PeriodicJob): ScheduledJob
  /** Runs `start` when the service starts, before it listens. */
  onStart(start: () => void): void
  /** Starts relays, consumers and jobs, then listens; resolves to the address. */
  start(): Promise<string>
  /** Stops streams, HTTP, consumers, producers and stores, in this order. */
  stop(): Promise<boolean>
}

/**
 * Builds the common parts of all deployables: errors, request ids, authentication, health, metrics, API
 * pages, graceful stop. Nothing listens before `start()`.
 */
export async function buildService(options: ServiceOptions): Promise<Service> {
  const { name, title, description, config, acceptsUserTokens = true } = options
  const destination = options.logDestination ?? (await logDestinationOf(name, config))
  const logger = { service: name, level: config.LOG_LEVEL, destination }
  const log = createLogger(logger)
  const metrics = createMetrics(name)
  const lifecycle = new Lifecycle(log)
  const readiness = new Readiness(metrics)
  const revocations = new RevocationList()
  const app = createApp(log, config.TRUST_PROXY_HOPS, options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS)
  limitConcurrency(app, config.MAX_RUNNING_REQUESTS, metrics, log)
  endConnectionsOnStop(app, lifecycle)
  // Compilers, error handler and hooks first: routes registered earlier would not inherit them.
  installCompilers(app)
  installErrorHandler(app)
  await installAuthentication(app, {
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    keys: options.keys ?? fetchedKeys(config.JWKS_URL, lifecycle),
    revocations,
    ...(options.signing ? { signing: options.signing } : {}),
  })
  propagateTraces(app)
  measureRequests(app, metrics)
  app.decorate('timeUseCase', createUseCaseTimer(metrics))
  logRequests(app, logger, config.ACCESS_LOG_SAMPLE)
  await installOpenApi(app, { title, description, version: manifest.version })
  installHealth(app, { title, readiness, lifecycle, metrics })
  let closeListening = async () => {}
  lifecycle.onStop('http', 'http server', () => closeHttp(app, () => closeListening()))

  const messaging = new Messaging({ name, config, log, metrics, lifecycle, readiness, revocations })
  if (acceptsUserTokens) messaging.followRevocations()
  const starts: (() => void)[] = []

  return {
    name,
    app,
    log,
    metrics,
    lifecycle,
    readiness,
    revocations,
    messaging,
    subscribe: (...args) => messaging.subscribe(...args),
    subscribeEveryProcess: (handlers) => messaging.subscribeEveryProcess(handlers),
    every: (job) => {
      const runner = new JobRunner(job, log)
      starts.push(() => runner.start())
      lifecycle.onStop('consumers', job.name, () => runner.stop())
      return runner
    },
    onStart: (start) => void starts.push(start),
    start: async () => {
      messaging.start()
      for (const start of starts) start()
      const { HOST: host, PORT: port } = config
      const { address, close } = await listenOnPort(app, { host, port, backlog: LISTEN_BACKLOG })
      closeListening = close
      if (!options.keys && acceptsUserTokens) {
        const source = remoteRevocations(config.JWKS_URL)
        const polling = pollRevocations(source, revocations)
        lifecycle.onStop('http', 'revocation polling', () => {
          polling.stop()
          return source.close()
        })
      }
      return address
    },
    stop: () => lifecycle.stop(),
  }
}

function logDestinationOf(service: string, { LOG_DIR: folder, LOG_DIR_DAYS: days }: BaseConfig) {
  return folder === undefined ? stdout() : openLogFiles({ service, folder, days }, stdout())
}

function fetchedKeys(url: string, lifecycle: Lifecycle): JWTVerifyGetKey {
  const { keys, stop } = remoteKeys(url)
  lifecycle.onStop('http', 'key refresh', stop)
  return keys
}

function createApp(log: Logger, trustedHops: number, requestTimeoutMs: number): FastifyInstance {
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    childLoggerFactory: (_logger, bindings) => new RequestLog(log, bindings) as unknown as FastifyBaseLogger,
    genReqId: (request) => requestIdFrom(request.headers['x-request-id']),
    trustProxy: (_address: string, hop: number) => hop < trustedHops,
    bodyLimit: BODY_LIMIT_BYTES,
    ...requestLimits(requestTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    frameworkErrors: refuseUnroutable,
    clientErrorHandler: answerBrokenRequest,
    routerOptions: { ignoreTrailingSlash: true },
  }) as unknown as FastifyInstance
  installBodyParsers(app)
  // Callbacks rather than promises in the hooks of every request: each promise is one more turn of the microtask queue.
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    // The default, also for problems: almost every response is private. Public ones override it.
    reply.header('cache-control', 'no-store')
    nameSpan(request)
    done()
  })
  return app
}

/** Sends `Connection: close` while stopping: a keep-alive client would otherwise use a closing connection. */
function endConnectionsOnStop(app: FastifyInstance, lifecycle: Lifecycle): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (lifecycle.isStopping) reply.header('connection', 'close')
    done(null, payload)
  })
}

/** Closes the HTTP server. `close` ends the currently idle connections; later idle connections are closed here. */
async function closeHttp(app: FastifyInstance, closeListening: () => Promise<void>): Promise<void> {
  const timer = setInterval(() => app.server.closeIdleConnections(), IDLE_CHECK_MS)
  try {
    await Promise.all([app.close(), closeListening()])
  } finally {
    clearInterval(timer)
  }
}

/** Names the span by route: the HTTP instrumentation would name it by path, one name per id. */
function nameSpan(request: FastifyRequest): void {
  const { url: path } = request.routeOptions
  const span = trace.getActiveSpan()?.setAttribute('url.path', pathOf(request))
  if (path !== undefined) span?.updateName(`${request.method} ${path}`).setAttribute('http.route', path)
}

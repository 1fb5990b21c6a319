export { StoreMetrics, StoreUnavailable, withTimeout } from '@bigtech/stores'
export { authenticate, bearerToken, installAuthentication } from './auth.ts'
export { answerBrokenRequest } from './broken-request.ts'
export { upToEntries } from './cache-limit.ts'
export { addressPrefix, networkOf } from './client-address.ts'
export { CommandError, readPositionals, runCommand } from './command.ts'
export { type BaseConfig, baseConfig, ConfigError, loadConfig, port } from './config.ts'
export { type Actor, type AuthenticatedContext, type Context, requestIdFrom } from './context.ts'
export { continueTrace } from './continue-trace.ts'
export { decodeCursor, encodeCursor, toPage } from './cursor.ts'
export { sendProblem } from './error-handler.ts'
export { errorPage, escapeHtml, htmlPage } from './error-page.ts'
export type { ReadinessCheck } from './health.ts'
export { requestLimits } from './http-limits.ts'
export { exitOnSignals, Lifecycle, type StopPhase } from './lifecycle.ts'
export { createLogger } from './logging.ts'
export { createMetrics, startAtZero } from './metrics.ts'
export {
  type Copies,
  commandLogDestination,
  commandLogger,
  type Environment,
  type Fact,
  type Finding,
  type OpenOperations,
  pages,
  type ServiceOperations,
  type UserOperations,
  untilReachable,
} from './operations.ts'
export { requireOperator } from './operator.ts'
export type { PeriodicJob, ScheduledJob } from './periodic-jobs.ts'
export { Problem, problemBodyOf } from './problem.ts'
export { type Limit, RateLimiter } from './rate-limiter.ts'
export { openRedis, type RedisStore } from './redis.ts'
export { pollRevocations } from './revocation-poll.ts'
export { RevocationList } from './revocations.ts'
export { type RouteHandler, requireRole, route } from './route.ts'
export { runService } from './run-service.ts'
export { maskSecretPath } from './secret-path.ts'
export { buildService, type Service, type ServiceOptions } from './service.ts'
export { type CallIdentity, ServiceClient, type ServiceClientOptions } from './service-client.ts'
export {
  openCustomOutbox,
  openMysql,
  openOutbox,
  openRateLimiter,
  openServiceClient,
  type ServiceOutbox,
} from './stores.ts'
export { signWebhook, verifyWebhook } from './webhook-signature.ts'

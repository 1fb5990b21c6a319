import { type createLogger, requestLimits } from '@bigtech/service-kit'
import multipart from '@fastify/multipart'
import { type FastifyInstance, fastify, LogController } from 'fastify'
import { multipartLimits, Refused } from '../incoming-analysis.ts'

/** Enough for two clips of 50 MB over a slow connection. */
const UPLOAD_MS = 120_000
const RETRY_AFTER_SECONDS = 5

export type HttpServer = FastifyInstance

/** Creates a server for multipart bodies with problem+json errors. It does not listen yet. */
export async function createHttpServer(log: ReturnType<typeof createLogger>): Promise<HttpServer> {
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    ...requestLimits(UPLOAD_MS),
  }) as unknown as FastifyInstance
  app.setErrorHandler((err, _request, reply) => {
    const status = err instanceof Refused ? err.status : ((err as { statusCode?: number }).statusCode ?? 500)
    if (status >= 500 && !(err instanceof Refused)) log.error({ err }, 'request failed')
    const isOurs = status < 500 || err instanceof Refused
    const detail = isOurs ? (err as Error).message : 'Something went wrong on our side.'
    if (status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS)
    return reply
      .code(status)
      .type('application/problem+json; charset=utf-8')
      .send({ title: detail, status, detail })
  })
  await app.register(multipart, { limits: multipartLimits })
  return app
}

import { isUtf8 } from 'node:buffer'
import { completeAnalysis } from '@bigtech/contracts'
import { Problem, route, verifyWebhook } from '@bigtech/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { PracticeService } from './practice.service.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Id of a verified webhook. */
    webhookId: string
  }
}

/** The webhook of the analysis server. Verifies the signature before parsing a body. */
export const webhookRoutes: FastifyPluginAsync<{
  practice: PracticeService
  /** Several during a rotation. */
  secrets: readonly string[]
}> = async (app, { practice, secrets }) => {
  app.decorateRequest('webhookId', '')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const id = verifyWebhook(secrets, request.headers, body)
    if (id === undefined) return done(new Problem('WEBHOOK_SIGNATURE_INVALID'))
    request.webhookId = id
    if (!isUtf8(body)) return done(new Problem('BODY_NOT_UTF8'))
    try {
      done(null, JSON.parse(body.toString('utf8')))
    } catch {
      done(new Problem('BODY_NOT_JSON'))
    }
  })
  app.addHook('preValidation', async (request) => {
    // No parser runs for an empty body.
    if (request.webhookId === '') throw new Problem('WEBHOOK_SIGNATURE_INVALID')
  })
  route(app, completeAnalysis, async ({ body }, ctx, { request }) => {
    await practice.report(ctx, request.webhookId, body)
    return undefined
  })
}

import { createGoogleNonce, listSignInProviders, loginWithGoogle } from '@bigtech/contracts'
import { type Limit, Problem, type RateLimiter, route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import { subscriberOf } from '../session/device.ts'
import { clientOf, tokensOf } from '../session/session.routes.ts'
import type { GoogleService } from './google.service.ts'
import { NONCE_SECONDS } from './google-nonces.ts'

/** Each nonce is a Redis key for ten minutes. */
const nonceLimit: Limit = { name: 'google-nonce', max: 1_000, windowSeconds: 3_600 }
const PROVIDERS_CACHE_SECONDS = 60

export async function googleRoutes(
  app: FastifyInstance,
  options: {
    /** Undefined when sign-in with Google is not configured. */
    google: GoogleService | undefined
    provider: { readonly clientId: string; readonly authorizationUrl: string } | undefined
    limiter: RateLimiter
  },
): Promise<void> {
  const { google, provider, limiter } = options
  const configured = (): GoogleService => {
    if (!google) throw new Problem('GOOGLE_NOT_CONFIGURED')
    return google
  }

  route(app, listSignInProviders, (_input, _ctx, { reply }) => {
    reply.header('cache-control', `public, max-age=${PROVIDERS_CACHE_SECONDS}`)
    return {
      google: provider
        ? { client_id: provider.clientId, authorization_url: provider.authorizationUrl }
        : null,
    }
  })

  route(app, createGoogleNonce, async (_input, _ctx, { request }) => {
    const service = configured()
    await limiter.take(nonceLimit, subscriberOf(request.ip))
    return { nonce: await service.issueNonce(), expires_in: NONCE_SECONDS }
  })

  route(app, loginWithGoogle, async ({ body }, ctx, { request }) =>
    tokensOf(
      await configured().login(ctx, {
        idToken: body.id_token,
        password: body.password,
        username: body.username,
        displayName: body.display_name,
        locale: body.locale,
        deviceToken: body.device_token,
        ...clientOf(request),
      }),
    ),
  )
}

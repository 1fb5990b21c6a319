import {
  completeLogin,
  getJwks,
  getRevocations,
  listSessions,
  login,
  loginWithJson,
  loginWithPasskey,
  logout,
  logoutAll,
  refreshSession,
  revokeSession,
  startPasskeyLogin,
  type TokenPair,
} from '@bigtech/contracts'
import { decodeCursor, route, toPage } from '@bigtech/service-kit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { PublicJwk } from '../../infrastructure/signing-keys.ts'
import type { RevocationNews } from './revocation-news.ts'
import type { Client, Grant, SessionService } from './session.service.ts'
import { ACCESS_TOKEN_SECONDS } from './session.ts'
import type { SignInService } from './sign-in.service.ts'

const position = z.tuple([z.coerce.date(), z.string()])
/** A key removed from the set must disappear everywhere soon. */
const JWKS_CACHE_SECONDS = 300

export async function sessionRoutes(
  app: FastifyInstance,
  options: {
    sessions: SessionService
    signIn: SignInService
    revocations: RevocationNews
    publicKeys: readonly PublicJwk[]
  },
): Promise<void> {
  const { sessions, signIn, revocations, publicKeys } = options
  route(app, loginWithJson, async ({ body }, ctx, { request }) => {
    const { email: identifier, password, device_token: deviceToken } = body
    const grant = await signIn.login(ctx, { identifier, password, deviceToken, ...clientOf(request) })
    return tokensOf(grant)
  })

  route(app, login, async ({ body }, ctx, { request }) => {
    const { username: identifier, password, device_token: deviceToken } = body
    const grant = await signIn.login(ctx, { identifier, password, deviceToken, ...clientOf(request) })
    return tokensOf(grant)
  })

  route(app, completeLogin, async ({ body }, ctx, { request }) => {
    const { challenge_token: challengeToken, code, device_token: deviceToken } = body
    return tokensOf(
      await signIn.completeLogin(ctx, { challengeToken, code, deviceToken, ...clientOf(request) }),
    )
  })

  route(app, startPasskeyLogin, async (_input, _ctx, { request }) => {
    const { token, options: asked } = await signIn.startPasskeyLogin(clientOf(request))
    return { challenge_token: token, options: asked }
  })

  route(app, loginWithPasskey, async ({ body }, ctx, { request }) => {
    const { challenge_token: challengeToken, credential, device_token: deviceToken } = body
    const client = clientOf(request)
    return tokensOf(
      await signIn.loginWithPasskey(ctx, { challengeToken, credential, deviceToken, ...client }),
    )
  })

  route(app, refreshSession, async ({ body }, ctx, { request }) =>
    tokensOf(await sessions.refreshSession(ctx, body.refresh_token, clientOf(request))),
  )

  route(app, logout, async (_input, ctx) => {
    await sessions.logout(ctx)
    return undefined
  })

  route(app, logoutAll, async ({ body }, ctx) => ({
    ended: await sessions.logoutAll(ctx, body?.except_current ?? false),
  }))

  route(app, listSessions, async ({ query }, ctx) => {
    const [createdAt, id] = decodeCursor(position, query.cursor) ?? []
    const after = createdAt && id ? { createdAt, id } : undefined
    const rows = await sessions.listSessions(ctx, query.limit, after)
    return toPage(
      rows,
      query.limit,
      (row) => [row.createdAt, row.id],
      (row) => ({
        session_id: row.id,
        device: row.device,
        ip_prefix: row.ipPrefix,
        created_at: row.createdAt.toISOString(),
        last_seen_at: row.lastSeenAt.toISOString(),
        expires_at: row.expiresAt.toISOString(),
        current: row.id === ctx.actor.sessionId,
      }),
    )
  })

  route(app, revokeSession, async ({ params }, ctx) => {
    await sessions.revokeSession(ctx, params.session_id)
    return undefined
  })

  route(app, getJwks, (_input, _ctx, { reply }) => {
    reply.header('cache-control', `public, max-age=${JWKS_CACHE_SECONDS}`)
    return { keys: [...publicKeys] }
  })

  route(app, getRevocations, async ({ query }) => {
    const { since, known, wait_seconds: waitSeconds } = query
    const page = await revocations.since({ since: new Date(since), known, waitMs: waitSeconds * 1_000 })
    return {
      as_of: page.asOf.toISOString(),
      items: page.revocations.map(({ sessionId, revokedAt }) => ({
        session_id: sessionId,
        revoked_at: revokedAt.toISOString(),
      })),
      has_more: page.hasMore,
    }
  })
}

/** Returns the client's properties, for the list of sessions and the login guard. */
export function clientOf(request: FastifyRequest): Client {
  return { ip: request.ip, userAgent: request.headers['user-agent'] }
}

/** Converts a grant to the API format. */
export function tokensOf(grant: Grant): TokenPair {
  return {
    access_token: grant.accessToken,
    token_type: 'bearer',
    expires_in: ACCESS_TOKEN_SECONDS,
    refresh_token: grant.refreshToken,
    refresh_expires_in: Math.max(0, Math.round((grant.expiresAt.getTime() - Date.now()) / 1_000)),
    session_id: grant.sessionId,
    user_id: grant.userId,
    ...(grant.deviceToken ? { device_token: grant.deviceToken } : {}),
    ...(grant.deletionCancelled ? { deletion_cancelled: true } : {}),
  }
}

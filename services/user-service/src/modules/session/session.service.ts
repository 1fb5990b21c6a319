import { type AuthenticatedContext, type Context, Problem } from '@bigtech/service-kit'
import { ipPrefixOf } from './device.ts'
import {
  hashRefreshToken,
  issueRefreshToken,
  openSuccessor,
  type RefreshToken,
  readRefreshToken,
  sealSuccessor,
} from './refresh-token.ts'
import type { SessionRepository } from './session.repository.ts'
import { decideRefresh, expiryOf, type Session, type SessionView } from './session.ts'
import type { EndReason, SessionEnder } from './session-ender.ts'
import type { SessionMetrics } from './session-metrics.ts'
import type { Tokens } from './tokens.ts'

export type SessionService = ReturnType<typeof createSessionService>

export interface Client {
  readonly ip: string
  readonly userAgent: string | undefined
}

/** The tokens and session of a successful sign-in or refresh. */
export interface Grant {
  readonly accessToken: string
  readonly refreshToken: string
  readonly expiresAt: Date
  readonly sessionId: string
  readonly userId: number
  readonly deviceToken?: string
  /** The sign-in cancelled a scheduled deletion. */
  readonly deletionCancelled?: boolean
}

export interface SessionServiceDeps {
  readonly sessions: SessionRepository
  readonly tokens: Tokens
  readonly ender: SessionEnder
  readonly metrics: SessionMetrics
  readonly now: () => Date
}

/** Racing refreshes of one token settle within this many rounds: each loser finds a winner. */
const MAX_REFRESH_ROUNDS = 4

/** Creates the service for refreshing and ending sessions. */
export function createSessionService(deps: SessionServiceDeps) {
  const { sessions, tokens, ender, metrics, now } = deps

  async function end(
    ctx: AuthenticatedContext,
    which: { only?: string; except?: string },
    reason: EndReason,
  ): Promise<number> {
    const { userId } = ctx.actor
    const ended = await sessions.end({ userId, ...which, reason, correlationId: ctx.requestId })
    await ender.committed(userId, ended, reason)
    return ended.length
  }

  function grant(
    session: Pick<Session, 'id' | 'userId' | 'username' | 'role' | 'expiresAt'>,
    token: RefreshToken,
  ) {
    const { id: sessionId, userId, username, role, expiresAt } = session
    const accessToken = tokens.access({ userId, username, role, sessionId })
    return { accessToken, refreshToken: token.text, expiresAt, sessionId, userId }
  }

  async function rotate(session: Session, token: RefreshToken, client: Client): Promise<Grant | undefined> {
    const at = now()
    const successor = issueRefreshToken(session.id, session.familyKey)
    const expiresAt = expiryOf(session.createdAt, at)
    const first = await sessions.rotate({
      sessionId: session.id,
      from: hashRefreshToken(token),
      to: hashRefreshToken(successor),
      sealedSuccessor: sealSuccessor(successor, token),
      now: at,
      expiresAt,
      ipPrefix: ipPrefixOf(client.ip),
    })
    if (!first) return undefined
    return grant({ ...session, expiresAt }, successor)
  }

  return {
    async refreshSession(ctx: Context, text: string, client: Client): Promise<Grant> {
      const token = readRefreshToken(text)
      if (!token) throw new Problem('REFRESH_TOKEN_INVALID')
      for (let round = 0; round < MAX_REFRESH_ROUNDS; round++) {
        const session = await sessions.find(token.sessionId)
        const decision = decideRefresh(session, token, now())
        if (!session || decision === 'invalid') break
        if (decision === 'reuse') {
          await endStolen(ctx, session)
          break
        }
        if (decision === 'repeat') {
          metrics.refreshes.inc({ result: 'repeated' })
          return grant(session, openSuccessor(session.sealedSuccessor!, token))
        }
        const granted = await rotate(session, token, client)
        if (granted) {
          metrics.refreshes.inc({ result: 'rotated' })
          return granted
        }
      }
      metrics.refreshes.inc({ result: 'refused' })
      throw new Problem('REFRESH_TOKEN_INVALID')
    },

    logout: (ctx: AuthenticatedContext) => end(ctx, { only: ctx.actor.sessionId }, 'logout'),

    logoutAll: (ctx: AuthenticatedContext, exceptCurrent: boolean) =>
      end(ctx, exceptCurrent ? { except: ctx.actor.sessionId } : {}, 'logout_all'),

    async revokeSession(ctx: AuthenticatedContext, sessionId: string): Promise<void> {
      const ended = await end(ctx, { only: sessionId }, 'revoked')
      if (ended === 0) throw new Problem('SESSION_NOT_FOUND')
    },

    listSessions: (
      ctx: AuthenticatedContext,
      limit: number,
      after?: { createdAt: Date; id: string },
    ): Promise<SessionView[]> => sessions.list(ctx.actor.userId, limit, after),
  }

  async function endStolen(ctx: Context, { id, userId }: Session): Promise<void> {
    const reason = 'token_reuse'
    const ended = await sessions.end({ userId, only: id, reason, correlationId: ctx.requestId })
    await ender.committed(userId, ended, reason)
    metrics.refreshes.inc({ result: 'reuse' })
    ctx.log.warn({ user_id: userId, session_id: id }, 'refresh token reused, session ended')
  }
}

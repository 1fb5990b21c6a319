import { uuidv7 } from '@bigtech/contracts'
import { type AuthenticatedContext, type Context, Problem } from '@bigtech/service-kit'
import type { PasswordHasher } from '../../infrastructure/password-hasher.ts'
import { identifierKey, type Login } from '../account/account.ts'
import { FOREVER } from '../moderation/moderation.ts'
import { deviceOf, ipPrefixOf, subscriberOf } from './device.ts'
import type { LoginGuard } from './login-guard.ts'
import {
  hashRefreshToken,
  issueRefreshToken,
  newFamilyKey,
  openSuccessor,
  type RefreshToken,
  readRefreshToken,
  sealSuccessor,
} from './refresh-token.ts'
import type { SessionRepository, Suspension } from './session.repository.ts'
import { decideRefresh, expiryOf, type Session, type SessionView } from './session.ts'
import type { SessionCache } from './session-cache.ts'
import type { EndReason, SessionEnder } from './session-ender.ts'
import type { SessionMetrics } from './session-metrics.ts'
import type { Tokens } from './tokens.ts'

export type SessionService = ReturnType<typeof createSessionService>

export interface Client {
  readonly ip: string
  readonly userAgent: string | undefined
}

export interface LoginRequest extends Client {
  readonly identifier: string
  readonly password: string
  readonly deviceToken: string | undefined
}

/** What a client gets to go on with. */
export interface Grant {
  readonly accessToken: string
  readonly refreshToken: string
  readonly expiresAt: Date
  readonly sessionId: string
  readonly userId: number
  readonly deviceToken?: string
}

export interface SessionServiceDeps {
  readonly sessions: SessionRepository
  readonly findLogin: (identifier: string) => Promise<Login | null>
  readonly passwords: PasswordHasher
  readonly guard: LoginGuard
  readonly tokens: Tokens
  readonly cache: SessionCache
  readonly ender: SessionEnder
  readonly metrics: SessionMetrics
  readonly wakeRelay: () => void
  readonly now?: () => Date
}

/** Somebody who has proved who they are; no hash when that was not by password. */
type SignedIn = Pick<Login, 'userId' | 'username'> & { readonly passwordHash: string | null }

/** Refreshes of one token that race settle within this many rounds: each loser finds a winner. */
const MAX_REFRESH_ROUNDS = 4

/** Signing in, staying signed in, and ending it. */
export function createSessionService(deps: SessionServiceDeps) {
  const { sessions, tokens, cache, ender, metrics } = deps
  const now = deps.now ?? (() => new Date())

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
    await cache.noteActive(session.userId, session.id)
    return grant({ ...session, expiresAt }, successor)
  }

  return {
    async login(ctx: Context, request: LoginRequest): Promise<Grant> {
      try {
        const result = await signIn(deps, ctx, request, now())
        metrics.logins.inc({ result: 'success' })
        return result
      } catch (err) {
        metrics.logins.inc({ result: loginResult(err) })
        throw err
      }
    },

    /** Checks a password with the limits of a sign-in, and opens nothing. @throws Problem CREDENTIALS_INVALID, LOGIN_LIMITED */
    checkPassword: async (ctx: Context, request: LoginRequest): Promise<void> => {
      await checkCredentials(deps, ctx, request)
    },

    /** Opens a session for somebody who has proved in another way than by password who they are. */
    openSession: async (
      ctx: Context,
      user: { readonly userId: number; readonly username: string },
      request: Client & { readonly deviceToken: string | undefined },
    ): Promise<Grant> => {
      const deviceId = request.deviceToken
        ? await tokens.readDevice(request.deviceToken, user.userId)
        : undefined
      const login = { ...user, passwordHash: null }
      const ipPrefix = ipPrefixOf(request.ip)
      const granted = await openSession(deps, ctx, { login, request, ipPrefix, at: now(), deviceId })
      metrics.logins.inc({ result: 'success' })
      return granted
    },

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
    ctx.log.warn(
      { user_id: userId, session_id: id },
      'a replaced refresh token was used again: session ended',
    )
  }
}

async function signIn(
  deps: SessionServiceDeps,
  ctx: Context,
  request: LoginRequest,
  at: Date,
): Promise<Grant> {
  const { login, admission, deviceId } = await checkCredentials(deps, ctx, request)
  const ipPrefix = ipPrefixOf(request.ip)
  const granted = await openSession(deps, ctx, { login, request, ipPrefix, at, deviceId })
  await admission.signedIn().catch((err: unknown) => ctx.log.warn({ err }, 'sign-in address not remembered'))
  return granted
}

/** @throws Problem CREDENTIALS_INVALID, LOGIN_LIMITED, OVERLOADED */
async function checkCredentials(deps: SessionServiceDeps, ctx: Context, request: LoginRequest) {
  const { sessions, passwords, guard, tokens } = deps
  const { identifier, password, ip } = request
  const login = await deps.findLogin(identifier)
  const ipPrefix = ipPrefixOf(ip)
  const deviceId =
    login && request.deviceToken ? tokens.readDevice(request.deviceToken, login.userId) : undefined
  const admission = await guard.admit({
    userId: login?.userId ?? null,
    identifier: identifierKey(identifier),
    ipPrefix,
    subscriber: subscriberOf(ip),
    deviceId,
    // Looked up for unknown accounts too: the time of a query would tell them apart.
    knownNetwork: await sessions.hasBeenIn(login?.userId ?? 0, ipPrefix),
  })
  const hash = login?.passwordHash ?? null
  const right = await passwords.compare(password, hash, ctx.signal).catch(async (err: unknown) => {
    await admission.cancelled()
    throw err
  })
  if (!right || !login) throw new Problem('CREDENTIALS_INVALID')
  await admission.succeeded()
  return { login, admission, deviceId }
}

async function openSession(
  deps: SessionServiceDeps,
  ctx: Context,
  opening: { login: SignedIn; request: Client; ipPrefix: string; at: Date; deviceId: string | undefined },
): Promise<Grant> {
  const { sessions, tokens, cache, ender } = deps
  const { login, request, ipPrefix, at, deviceId } = opening
  const { userId, username, passwordHash } = login
  const id = uuidv7()
  const familyKey = newFamilyKey()
  const token = issueRefreshToken(id, familyKey)
  const expiresAt = expiryOf(at, at)
  const session = {
    id,
    userId,
    device: deviceOf(request.userAgent),
    ipPrefix,
    createdAt: at,
    expiresAt,
    familyKey,
    currentHash: hashRefreshToken(token),
  }
  const opened = await sessions.create(session, passwordHash, ctx.requestId)
  if (opened === null) throw new Problem('CREDENTIALS_INVALID')
  if (opened.suspension) throw suspended(opened.suspension)
  deps.wakeRelay()
  await cache.noteActive(userId, id)
  await ender.committed(userId, opened.surplus, 'revoked')
  ctx.log.info({ user_id: userId, session_id: id }, 'UserLoggedIn')
  const accessToken = tokens.access({ userId, username, role: opened.role, sessionId: id })
  const deviceToken = tokens.device(userId, deviceId)
  return { accessToken, refreshToken: token.text, expiresAt, sessionId: id, userId, deviceToken }
}

/** What the owner of a suspended account is told, once they have shown that they are the owner. */
function suspended({ until, message }: Suspension): Problem {
  const time = until >= FOREVER ? 'until further notice' : `until ${until.toISOString()}`
  return new Problem('ACCOUNT_SUSPENDED', {
    detail: `The account is suspended ${time}.${message ? ` ${message}` : ''}`,
  })
}

function loginResult(err: unknown): string {
  if (!(err instanceof Problem)) return 'error'
  if (err.code === 'CREDENTIALS_INVALID') return 'invalid'
  if (err.code === 'LOGIN_LIMITED') return 'limited'
  if (err.code === 'ACCOUNT_SUSPENDED') return 'suspended'
  return err.code === 'OVERLOADED' ? 'overloaded' : 'unavailable'
}

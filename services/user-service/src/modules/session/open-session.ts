import { uuidv7 } from '@bigtech/contracts'
import { type Context, type Limit, Problem, type RateLimiter } from '@bigtech/service-kit'
import type { Login } from '../account/account.ts'
import { FOREVER } from '../moderation/moderation.ts'
import { deviceOf, ipPrefixOf, subscriberOf } from './device.ts'
import type { LoginGuard } from './login-guard.ts'
import { hashRefreshToken, issueRefreshToken, newFamilyKey } from './refresh-token.ts'
import type { SessionRepository, SignInProof, Suspension } from './session.repository.ts'
import type { Client, Grant } from './session.service.ts'
import { expiryOf } from './session.ts'
import type { SessionEnder } from './session-ender.ts'
import type { Tokens } from './tokens.ts'

export interface OpenSessionDeps {
  readonly sessions: SessionRepository
  readonly guard: LoginGuard
  readonly tokens: Tokens
  readonly ender: SessionEnder
  readonly limiter: RateLimiter
  readonly wakeRelay: () => void
  readonly now: () => Date
}

const HOUR_SECONDS = 3_600
/** Limits the mails caused by repeated sign-ins with a known password. */
const mailsAboutSignIns: Limit = { name: 'sign_in_mail', max: 5, windowSeconds: HOUR_SECONDS }

/**
 * Opens a session for a user who proved their identity.
 * @throws Problem CREDENTIALS_INVALID when the password changed meanwhile, ACCOUNT_SUSPENDED
 */
export async function openSession(
  deps: OpenSessionDeps,
  ctx: Context,
  login: Login,
  client: Client,
  deviceId: string | undefined,
  proof: Omit<SignInProof, 'mailIfNotFirst'>,
): Promise<Grant> {
  const { sessions, tokens, ender, guard } = deps
  const { userId, username } = login
  const at = deps.now()
  const id = uuidv7()
  const familyKey = newFamilyKey()
  const token = issueRefreshToken(id, familyKey)
  const expiresAt = expiryOf(at, at)
  const session = {
    ...{ id, userId, createdAt: at, expiresAt, familyKey },
    device: deviceOf(client.userAgent),
    ipPrefix: ipPrefixOf(client.ip),
    currentHash: hashRefreshToken(token),
  }
  const mailIfNotFirst = deviceId === undefined && (await mayMail(deps, userId))
  const opened = await sessions.create(session, { ...proof, mailIfNotFirst }, ctx.requestId)
  if (opened === null) throw new Problem('CREDENTIALS_INVALID')
  if (opened.suspension) throw suspended(opened.suspension)
  deps.wakeRelay()
  await ender.committed(userId, opened.surplus, 'revoked')
  ctx.log.info({ user_id: userId, session_id: id }, 'UserLoggedIn')
  const accessToken = tokens.access({ userId, username, role: opened.role, sessionId: id })
  const deviceToken = tokens.device(userId, deviceId)
  await guard
    .remember(userId, subscriberOf(client.ip))
    .catch((err: unknown) => ctx.log.warn({ err }, 'storing the sign-in address failed'))
  const { deletionCancelled } = opened
  return {
    accessToken,
    refreshToken: token.text,
    expiresAt,
    sessionId: id,
    userId,
    deviceToken,
    deletionCancelled,
  }
}

async function mayMail({ limiter }: OpenSessionDeps, userId: number): Promise<boolean> {
  try {
    await limiter.take(mailsAboutSignIns, userId)
    return true
  } catch (err) {
    if (err instanceof Problem) return false
    throw err
  }
}

/** Returns the problem for the owner of a suspended account, who has proved their identity. */
function suspended({ until, message }: Suspension): Problem {
  const time = until >= FOREVER ? 'until further notice' : `until ${until.toISOString()}`
  return new Problem('ACCOUNT_SUSPENDED', {
    detail: `The account is suspended ${time}.${message ? ` ${message}` : ''}`,
  })
}

import { createHash } from 'node:crypto'
import { type PasskeyAssertion, uuidv7 } from '@bigtech/contracts'
import { type Context, type Limit, Problem, type RateLimiter } from '@bigtech/service-kit'
import type { PasswordHasher } from '../../infrastructure/password-hasher.ts'
import { identifierKey, type Login } from '../account/account.ts'
import { FOREVER } from '../moderation/moderation.ts'
import type { Challenges } from '../second-factor/challenges.ts'
import type { PasskeyVerifier } from '../second-factor/passkey.service.ts'
import type { SecondFactorRepository } from '../second-factor/second-factor.repository.ts'
import { codeAttempts } from '../second-factor/second-factor.service.ts'
import { deviceOf, ipPrefixOf, subscriberOf } from './device.ts'
import type { LoginGuard } from './login-guard.ts'
import { hashRefreshToken, issueRefreshToken, newFamilyKey } from './refresh-token.ts'
import type { SessionRepository, SignInProof, Suspension } from './session.repository.ts'
import type { Client, Grant } from './session.service.ts'
import { expiryOf } from './session.ts'
import type { SessionEnder } from './session-ender.ts'
import type { SessionMetrics } from './session-metrics.ts'
import type { Tokens } from './tokens.ts'

export type SignInService = ReturnType<typeof createSignInService>

export interface LoginRequest extends Client {
  readonly identifier: string
  readonly password: string
  readonly deviceToken: string | undefined
}

interface Answered extends Client {
  readonly challengeToken: string
  readonly deviceToken: string | undefined
}

export interface SignInDeps {
  readonly sessions: SessionRepository
  readonly findLogin: (who: string | number) => Promise<Login | null>
  readonly passwords: PasswordHasher
  readonly guard: LoginGuard
  readonly tokens: Tokens
  readonly ender: SessionEnder
  readonly limiter: RateLimiter
  readonly challenges: Challenges
  readonly factors: SecondFactorRepository
  readonly passkeys: PasskeyVerifier
  readonly metrics: SessionMetrics
  readonly wakeRelay: () => void
  readonly now: () => Date
}

const HOUR_SECONDS = 3_600
/** Limits the mails caused by repeated sign-ins with a known password. */
const mailsAboutSignIns: Limit = { name: 'sign_in_mail', max: 5, windowSeconds: HOUR_SECONDS }
const passkeyLogins: Limit = { name: 'passkey_login', max: 100, windowSeconds: HOUR_SECONDS }

/** Creates the service for signing in: with a password, a password and a code, or a passkey. */
export function createSignInService(deps: SignInDeps) {
  const { limiter, passkeys, metrics } = deps

  async function counted(work: Promise<Grant>): Promise<Grant> {
    try {
      const granted = await work
      metrics.logins.inc({ result: 'success' })
      return granted
    } catch (err) {
      metrics.logins.inc({ result: loginResult(err) })
      throw err
    }
  }

  return {
    /**
     * Signs in with a password. @throws Problem CREDENTIALS_INVALID, LOGIN_LIMITED, SECOND_FACTOR_REQUIRED
     * with a challenge
     */
    login: (ctx: Context, request: LoginRequest): Promise<Grant> =>
      counted(signInWithPassword(deps, ctx, request)),

    /**
     * Checks a password under the limits of a sign-in without opening a session. @throws Problem
     * CREDENTIALS_INVALID, LOGIN_LIMITED
     */
    checkPassword: async (ctx: Context, request: LoginRequest): Promise<void> => {
      await checkCredentials(deps, ctx, request)
    },

    /**
     * Opens a session for a user who proved their identity other than by password.
     * @throws Problem SECOND_FACTOR_REQUIRED with a challenge
     */
    signInProven: (
      ctx: Context,
      userId: number,
      request: Client & { readonly deviceToken: string | undefined },
    ): Promise<Grant> => counted(signInProven(deps, ctx, userId, request)),

    completeLogin: (ctx: Context, request: Answered & { readonly code: string }): Promise<Grant> =>
      counted(completeWithCode(deps, ctx, request)),

    async startPasskeyLogin(client: Client) {
      await limiter.take(passkeyLogins, subscriberOf(client.ip))
      return passkeys.start()
    },

    loginWithPasskey: (ctx: Context, request: Answered & { readonly credential: PasskeyAssertion }) =>
      counted(signInWithPasskey(deps, ctx, request)),
  }
}

async function signInWithPasskey(
  deps: SignInDeps,
  ctx: Context,
  request: Answered & { readonly credential: PasskeyAssertion },
): Promise<Grant> {
  const { passkey, counter } = await deps.passkeys.verify(request.challengeToken, request.credential)
  const login = await deps.findLogin(passkey.userId)
  if (!login) throw new Problem('PASSKEY_REFUSED')
  const deviceId = deviceIdOf(deps, request, login)
  return openSession(deps, ctx, login, request, deviceId, {
    isStrong: true,
    within: async (tx) => {
      if (!(await deps.passkeys.noteUse(tx, passkey.id, counter, deps.now())))
        throw new Problem('PASSKEY_REFUSED')
    },
  })
}

async function completeWithCode(
  deps: SignInDeps,
  ctx: Context,
  request: Answered & { readonly code: string },
): Promise<Grant> {
  const { challengeToken, code } = request
  const asked = await deps.challenges.read('login', challengeToken)
  const login = asked && (await deps.findLogin(asked.userId))
  if (!login || asked.passwordMark !== markOf(login.passwordHash)) throw new Problem('CHALLENGE_INVALID')
  const deviceId = deviceIdOf(deps, request, login)
  // A known device has its own counter, so that others who know the password cannot lock out its owner.
  const subject = `${login.userId}:${deviceId ?? 'new'}`
  await deps.limiter.take(codeAttempts, subject)
  const granted = await openSession(deps, ctx, login, request, deviceId, {
    checkedHash: login.passwordHash ?? undefined,
    isStrong: true,
    within: async (tx) => {
      if (!(await deps.factors.consume(tx, login.userId, code))) throw new Problem('SECOND_FACTOR_WRONG')
      // Last: a wrong code leaves the challenge for a retry, two right ones open one session.
      if (!(await deps.challenges.take('login', challengeToken))) throw new Problem('CHALLENGE_INVALID')
    },
  })
  await deps.limiter.forget(codeAttempts, subject)
  return granted
}

async function signInProven(
  deps: SignInDeps,
  ctx: Context,
  userId: number,
  request: Client & { readonly deviceToken: string | undefined },
): Promise<Grant> {
  const login = await deps.findLogin(userId)
  if (!login) throw new Problem('CREDENTIALS_INVALID')
  return openUnlessCodeIsNeeded(deps, ctx, login, request, deviceIdOf(deps, request, login))
}

async function signInWithPassword(deps: SignInDeps, ctx: Context, request: LoginRequest): Promise<Grant> {
  const { login, deviceId } = await checkCredentials(deps, ctx, request)
  return openUnlessCodeIsNeeded(deps, ctx, login, request, deviceId)
}

/** Checks a password. @throws Problem CREDENTIALS_INVALID, LOGIN_LIMITED, OVERLOADED */
async function checkCredentials(deps: SignInDeps, ctx: Context, request: LoginRequest) {
  const { sessions, passwords, guard } = deps
  const { identifier, password, ip } = request
  const login = await deps.findLogin(identifier)
  const ipPrefix = ipPrefixOf(ip)
  const deviceId = login ? deviceIdOf(deps, request, login) : undefined
  const admission = await guard.admit({
    userId: login?.userId ?? null,
    identifier: identifierKey(identifier),
    ipPrefix,
    subscriber: subscriberOf(ip),
    deviceId,
    // Also for unknown accounts, because the query time would reveal them.
    knownNetwork: await sessions.hasBeenIn(login?.userId ?? 0, ipPrefix),
  })
  const hash = login?.passwordHash ?? null
  const right = await passwords.compare(password, hash, ctx.signal).catch(async (err: unknown) => {
    await admission.cancelled()
    throw err
  })
  if (!right || !login || hash === null) throw new Problem('CREDENTIALS_INVALID')
  await admission.succeeded()
  return { login, deviceId }
}

/** Opens a session after one proof; requires a code where the account has a second factor. */
async function openUnlessCodeIsNeeded(
  deps: SignInDeps,
  ctx: Context,
  login: Login,
  client: Client,
  deviceId: string | undefined,
): Promise<Grant> {
  if (login.needsCode) throw await challengeOf(deps, login)
  const checkedHash = login.passwordHash ?? undefined
  return openSession(deps, ctx, login, client, deviceId, { checkedHash, isStrong: false })
}

async function challengeOf(deps: SignInDeps, login: Login): Promise<Problem> {
  const { userId, passwordHash } = login
  const { token, expiresInSeconds } = await deps.challenges.issue('login', {
    userId,
    passwordMark: markOf(passwordHash),
  })
  const methods: ('code' | 'passkey')[] = (await deps.passkeys.has(userId)) ? ['code', 'passkey'] : ['code']
  return new Problem('SECOND_FACTOR_REQUIRED', {
    challenge: { token, methods, expires_in: expiresInSeconds },
  })
}

async function openSession(
  deps: SignInDeps,
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

function deviceIdOf(
  { tokens }: SignInDeps,
  { deviceToken }: { readonly deviceToken: string | undefined },
  { userId, devicesTrustedFrom }: Login,
): string | undefined {
  return deviceToken ? tokens.readDevice(deviceToken, userId, devicesTrustedFrom) : undefined
}

async function mayMail({ limiter }: SignInDeps, userId: number): Promise<boolean> {
  try {
    await limiter.take(mailsAboutSignIns, userId)
    return true
  } catch (err) {
    if (err instanceof Problem) return false
    throw err
  }
}

/** Returns a mark that identifies the password of a challenge without storing its hash again. */
function markOf(passwordHash: string | null): string {
  return createHash('sha256')
    .update(passwordHash ?? '')
    .digest('base64url')
}

/** Returns the problem for the owner of a suspended account, who has proved their identity. */
function suspended({ until, message }: Suspension): Problem {
  const time = until >= FOREVER ? 'until further notice' : `until ${until.toISOString()}`
  return new Problem('ACCOUNT_SUSPENDED', {
    detail: `The account is suspended ${time}.${message ? ` ${message}` : ''}`,
  })
}

function loginResult(err: unknown): string {
  if (!(err instanceof Problem)) return 'error'
  if (err.code === 'SECOND_FACTOR_REQUIRED') return 'second_factor'
  if (
    ['CREDENTIALS_INVALID', 'SECOND_FACTOR_WRONG', 'CHALLENGE_INVALID', 'PASSKEY_REFUSED'].includes(err.code)
  ) {
    return 'invalid'
  }
  if (err.code === 'ACCOUNT_SUSPENDED') return 'suspended'
  if (err.code === 'LOGIN_LIMITED' || err.code === 'RATE_LIMITED') return 'limited'
  return err.code === 'OVERLOADED' ? 'overloaded' : 'unavailable'
}

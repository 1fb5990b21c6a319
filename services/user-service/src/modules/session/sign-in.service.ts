import { createHash } from 'node:crypto'
import type { PasskeyAssertion } from '@bigtech/contracts'
import { type Context, type Limit, Problem } from '@bigtech/service-kit'
import type { PasswordHasher } from '../../infrastructure/password-hasher.ts'
import { identifierKey, type Login } from '../account/account.ts'
import type { Challenges } from '../second-factor/challenges.ts'
import type { PasskeyVerifier } from '../second-factor/passkey.service.ts'
import type { SecondFactorRepository } from '../second-factor/second-factor.repository.ts'
import { codeAttempts } from '../second-factor/second-factor.service.ts'
import { ipPrefixOf, subscriberOf } from './device.ts'
import { type OpenSessionDeps, openSession } from './open-session.ts'
import type { Client, Grant } from './session.service.ts'
import { loginResult, type SessionMetrics } from './session-metrics.ts'

export type SignInService = ReturnType<typeof createSignInService>

export interface LoginRequest extends Client {
  readonly identifier: string
  readonly password: string
  readonly deviceToken: string | undefined
}

interface ChallengeResponse extends Client {
  readonly challengeToken: string
  readonly deviceToken: string | undefined
}

export interface SignInDeps extends OpenSessionDeps {
  readonly findLogin: (who: string | number) => Promise<Login | null>
  readonly passwords: PasswordHasher
  readonly challenges: Challenges
  readonly factors: SecondFactorRepository
  readonly passkeys: PasskeyVerifier
  readonly metrics: SessionMetrics
}

const HOUR_SECONDS = 3_600
/** Every view of the sign-in page starts one, so that the browser can suggest passkeys; an office shares an address. */
const passkeyLogins: Limit = { name: 'passkey_login', max: 600, windowSeconds: HOUR_SECONDS }

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

    completeLogin: (ctx: Context, request: ChallengeResponse & { readonly code: string }): Promise<Grant> =>
      counted(completeWithCode(deps, ctx, request)),

    async startPasskeyLogin(client: Client) {
      await limiter.take(passkeyLogins, subscriberOf(client.ip))
      return passkeys.start()
    },

    loginWithPasskey: (
      ctx: Context,
      request: ChallengeResponse & { readonly credential: PasskeyAssertion },
    ) => counted(signInWithPasskey(deps, ctx, request)),
  }
}

async function signInWithPasskey(
  deps: SignInDeps,
  ctx: Context,
  request: ChallengeResponse & { readonly credential: PasskeyAssertion },
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
  request: ChallengeResponse & { readonly code: string },
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

function deviceIdOf(
  { tokens }: SignInDeps,
  { deviceToken }: { readonly deviceToken: string | undefined },
  { userId, devicesTrustedFrom }: Login,
): string | undefined {
  return deviceToken ? tokens.readDevice(deviceToken, userId, devicesTrustedFrom) : undefined
}

/** Returns a mark that identifies the password of a challenge without storing its hash again. */
function markOf(passwordHash: string | null): string {
  return createHash('sha256')
    .update(passwordHash ?? '')
    .digest('base64url')
}

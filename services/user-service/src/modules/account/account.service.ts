import {
  type AuthenticatedContext,
  type Context,
  type Limit,
  Problem,
  type RateLimiter,
} from '@bigtech/service-kit'
import type { PasswordHasher } from '../../infrastructure/password-hasher.ts'
import type { SecondFactorRepository } from '../second-factor/second-factor.repository.ts'
import { codeAttempts, type Proof } from '../second-factor/second-factor.service.ts'
import type { SessionEnder } from '../session/session-ender.ts'
import { AlreadyTaken, type Taken } from './account.errors.ts'
import type { AccountRepository } from './account.repository.ts'
import type { Account } from './account.ts'
import type { Identity } from './identity.repository.ts'
import type { NewAccount } from './new-account.ts'
import type { PasswordPolicy } from './password-policy.ts'
import type { UsernameRepository } from './username.repository.ts'

export type AccountService = ReturnType<typeof createAccountService>

export interface Registration {
  readonly email: string
  readonly username: string
  readonly password: string
  readonly displayName: string | undefined
  readonly locale: string | undefined
  /** The subscriber counted by the rate limit: see device.ts. */
  readonly subscriber: string
}

export interface IdentityRegistration
  extends Pick<Registration, 'email' | 'displayName' | 'locale' | 'subscriber'> {
  readonly identity: Identity
  /** Best candidate first. */
  readonly usernames: readonly string[]
}

const DEFAULT_LOCALE = 'ko'
const NO_PASSWORD =
  'This account has no password: it signs in with Google. Set one with POST /auth/password/forgot first.'
const HOUR_SECONDS = 3_600
/** Limits password confirmation attempts made with a stolen access token. */
const passwordChecks: Limit = { name: 'password', max: 10, windowSeconds: HOUR_SECONDS }

/** Creates the service for signing up and for operations that require the password. */
export function createAccountService(deps: {
  accounts: AccountRepository
  passwords: PasswordHasher
  policy: PasswordPolicy
  usernames: UsernameRepository
  limiter: RateLimiter
  sessions: SessionEnder
  factors: SecondFactorRepository
  registrationsPerHour: number
  onRegistered: () => void
  wakeRelay: () => void
}) {
  const { accounts, passwords, limiter, sessions } = deps
  const registrations: Limit = {
    name: 'register',
    max: deps.registrationsPerHour,
    windowSeconds: HOUR_SECONDS,
  }

  /** Checks the password. Returns the compared hash. @throws Problem PASSWORD_WRONG, RATE_LIMITED */
  async function confirmPassword(ctx: AuthenticatedContext, password: string): Promise<string> {
    const { userId } = ctx.actor
    await limiter.take(passwordChecks, userId)
    const hash = await accounts.findPasswordHash(userId)
    const isRight = await passwords.compare(password, hash, ctx.signal)
    if (hash === null) throw new Problem('PASSWORD_WRONG', { detail: NO_PASSWORD })
    if (!isRight) throw new Problem('PASSWORD_WRONG')
    await limiter.forget(passwordChecks, userId)
    return hash
  }

  /**
   * Checks the password and, with an authenticator app, a code. Checked on every request, so that no session
   * of any age can omit the code. Returns the compared hash.
   * @throws Problem PASSWORD_WRONG, SECOND_FACTOR_REQUIRED, SECOND_FACTOR_WRONG, RATE_LIMITED
   */
  async function confirmIdentity(ctx: AuthenticatedContext, { password, code }: Proof): Promise<string> {
    const { userId, sessionId } = ctx.actor
    const hash = await confirmPassword(ctx, password)
    if (!(await deps.factors.isEnabled(userId))) return hash
    if (code === undefined) throw new Problem('SECOND_FACTOR_REQUIRED')
    const subject = `${userId}:${sessionId}`
    await limiter.take(codeAttempts, subject)
    if (!(await deps.factors.use(userId, code))) throw new Problem('SECOND_FACTOR_WRONG')
    await limiter.forget(codeAttempts, subject)
    return hash
  }

  /**
   * Counts and checks a sign-up and hashes its password. @throws Problem EMAIL_TAKEN, USERNAME_TAKEN,
   * RATE_LIMITED, VALIDATION_FAILED
   */
  async function checkRegistration(ctx: Context, registration: Registration): Promise<NewAccount> {
    const { email, username, password, subscriber } = registration
    const { displayName = username, locale = DEFAULT_LOCALE } = registration
    await limiter.take(registrations, subscriber)
    deps.policy.check(password, { email, username, displayName }, 'password')
    const taken = await accounts.findTaken(email, username)
    if (taken) throw takenProblem(taken)
    const passwordHash = await passwords.hash(password, ctx.signal)
    return { email, username, displayName, locale, passwordHash }
  }

  return {
    confirmIdentity,

    checkRegistration,
    onRegistered: deps.onRegistered,

    async registerUser(ctx: Context, registration: Registration): Promise<Account> {
      const checked = await checkRegistration(ctx, registration)
      const account = await orTakenProblem(accounts.create(checked, ctx.requestId))
      deps.onRegistered()
      ctx.log.info({ user_id: account.userId }, 'UserRegistered')
      return account
    },

    /**
     * Signs up a user whose address an identity provider has verified, with the first free username. Returns
     * null when the identity or the address has got an account in the meantime. @throws Problem
     * USERNAME_TAKEN, RATE_LIMITED
     */
    async registerWithIdentity(ctx: Context, registration: IdentityRegistration): Promise<Account | null> {
      const { identity, email, usernames, displayName, locale, subscriber } = registration
      await limiter.take(registrations, subscriber)
      for (const username of usernames) {
        const taken = await accounts.findTaken(email, username)
        if (taken === 'email') return null
        if (taken) continue
        const account = {
          email,
          username,
          displayName: displayName ?? username,
          identity,
          passwordHash: null,
        }
        try {
          const created = await accounts.create(
            { ...account, locale: locale ?? DEFAULT_LOCALE },
            ctx.requestId,
          )
          deps.onRegistered()
          ctx.log.info({ user_id: created.userId }, 'UserRegistered')
          return created
        } catch (err) {
          if (!(err instanceof AlreadyTaken)) throw err
          if (err.what !== 'username') return null
        }
      }
      throw new Problem('USERNAME_TAKEN')
    },

    /** Changes the username. @throws Problem USERNAME_TAKEN, USERNAME_CHANGE_LIMIT */
    async changeUsername(ctx: AuthenticatedContext, username: string): Promise<void> {
      const change = await orTakenProblem(deps.usernames.change(ctx.actor.userId, username, ctx.requestId))
      if (typeof change === 'object') {
        const retryAfterSeconds = (change.notBefore.getTime() - Date.now()) / 1_000
        throw new Problem('USERNAME_CHANGE_LIMIT', { retryAfterSeconds })
      }
      deps.wakeRelay()
    },

    /** Changes the password and ends every other session in the same transaction. */
    async changePassword(ctx: AuthenticatedContext, current: string, next: string): Promise<void> {
      const { userId, sessionId } = ctx.actor
      const from = await confirmPassword(ctx, current)
      await deps.policy.checkFor(userId, next, 'new_password')
      const to = await passwords.hash(next, ctx.signal)
      let ended: readonly string[] = []
      const changed = await accounts.replacePassword({ userId, from, to }, async (tx) => {
        await accounts.notePasswordChange(tx, userId)
        ended = await sessions.endIn(tx, {
          userId,
          except: sessionId,
          reason: 'password_changed',
          correlationId: ctx.requestId,
        })
      })
      if (!changed)
        throw new Problem('PASSWORD_WRONG', {
          detail: 'The password was changed by another request. Sign in again.',
        })
      await sessions.committed(userId, ended, 'password_changed')
      ctx.log.info({ ended: ended.length }, 'password changed')
    },
  }
}

/** Translates AlreadyTaken. @throws Problem EMAIL_TAKEN, USERNAME_TAKEN */
export function orTakenProblem<Result>(work: Promise<Result>): Promise<Result> {
  return work.catch((err: unknown) => {
    throw err instanceof AlreadyTaken ? takenProblem(err.what) : err
  })
}

function takenProblem(what: Taken): Problem {
  return new Problem(what === 'email' ? 'EMAIL_TAKEN' : 'USERNAME_TAKEN')
}

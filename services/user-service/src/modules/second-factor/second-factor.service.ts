import { type AuthenticatedContext, type Limit, Problem, type RateLimiter } from '@bigtech/service-kit'
import type { SecondFactorRepository, SecondFactorState } from './second-factor.repository.ts'
import { newRecoveryCodes, newTotpSecret, totpUri } from './second-factor.ts'

export type SecondFactorService = ReturnType<typeof createSecondFactorService>

/** Proof that the caller owns the account, independent of the session. */
export interface Proof {
  readonly password: string
  readonly code?: string | undefined
}

/**
 * Confirms the caller's identity. Returns the compared password hash. @throws Problem PASSWORD_WRONG,
 * SECOND_FACTOR_REQUIRED, SECOND_FACTOR_WRONG
 */
export type ConfirmIdentity = (ctx: AuthenticatedContext, proof: Proof) => Promise<string>

/** A million codes, three of them valid at a time: guessing one at this rate takes years. */
export const codeAttempts: Limit = { name: 'second_factor', max: 10, windowSeconds: 3_600 }

/** Creates the service for authenticator app and recovery codes. */
export function createSecondFactorService(deps: {
  factors: SecondFactorRepository
  limiter: RateLimiter
  confirmIdentity: ConfirmIdentity
}) {
  const { factors, limiter, confirmIdentity } = deps
  return {
    getSecondFactors: (ctx: AuthenticatedContext): Promise<SecondFactorState> =>
      factors.state(ctx.actor.userId),

    async startTotp(ctx: AuthenticatedContext, proof: Proof): Promise<{ secret: string; uri: string }> {
      const { userId, username } = ctx.actor
      if (await factors.isEnabled(userId)) throw new Problem('TOTP_ENABLED')
      await confirmIdentity(ctx, proof)
      const secret = newTotpSecret()
      if (!(await factors.setUp(userId, secret))) throw new Problem('TOTP_ENABLED')
      return { secret, uri: totpUri(secret, username) }
    },

    async confirmTotp(ctx: AuthenticatedContext, code: string): Promise<string[]> {
      const { userId, sessionId } = ctx.actor
      await limiter.take(codeAttempts, `${userId}:${sessionId}`)
      const codes = newRecoveryCodes()
      const result = await factors.enable(userId, code, codes)
      if (result === 'already') throw new Problem('TOTP_ENABLED')
      if (result === 'wrong') throw new Problem('SECOND_FACTOR_WRONG')
      await limiter.forget(codeAttempts, `${userId}:${sessionId}`)
      ctx.log.info('authenticator app turned on')
      return codes
    },

    async disableTotp(ctx: AuthenticatedContext, proof: Proof): Promise<void> {
      await confirmIdentity(ctx, proof)
      await factors.disable(ctx.actor.userId)
      ctx.log.info('authenticator app turned off')
    },

    async replaceRecoveryCodes(ctx: AuthenticatedContext, proof: Proof): Promise<string[]> {
      if (!(await factors.isEnabled(ctx.actor.userId))) throw new Problem('TOTP_NOT_ENABLED')
      await confirmIdentity(ctx, proof)
      const codes = newRecoveryCodes()
      await factors.replaceRecoveryCodes(ctx.actor.userId, codes)
      return codes
    },
  }
}

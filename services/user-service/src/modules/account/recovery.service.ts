import { createHash } from 'node:crypto'
import {
  type AuthenticatedContext,
  type Context,
  type Limit,
  Problem,
  type RateLimiter,
  type Service,
} from '@bigtech/service-kit'
import type { PasswordHasher } from '../../infrastructure/password-hasher.ts'
import type { ConfirmIdentity, Proof } from '../second-factor/second-factor.service.ts'
import type { SessionEnder } from '../session/session-ender.ts'
import type { Tokens } from '../session/tokens.ts'
import { AlreadyTaken } from './account.errors.ts'
import type { LinkPurpose } from './account-links.ts'
import type { PasswordPolicy } from './password-policy.ts'
import type { RecoveryRepository, SignIn } from './recovery.repository.ts'

export type RecoveryService = ReturnType<typeof createRecoveryService>

const HOUR_SECONDS = 3_600
const verifications: Limit = { name: 'verify_email', max: 3, windowSeconds: HOUR_SECONDS }
const emailChanges: Limit = { name: 'change_email', max: 5, windowSeconds: HOUR_SECONDS }
/** Per address, known or unknown, so that nobody can flood the mailbox of its owner. */
const resetsOfAddress: Limit = { name: 'reset_address', max: 3, windowSeconds: HOUR_SECONDS }
const resetsFrom: Limit = { name: 'reset_from', max: 20, windowSeconds: HOUR_SECONDS }

export interface IssuedLink {
  readonly purpose: LinkPurpose
  readonly email: string
  readonly locale: string
  readonly token: string
  readonly expiresAt: Date
  /** Set for a mail about a sign-in. */
  readonly signIn: SignIn | null
}

/** Creates the service for verifying and changing an address, and for recovering an account. */
export function createRecoveryService(deps: {
  service: Pick<Service, 'log' | 'lifecycle'>
  recovery: RecoveryRepository
  limiter: RateLimiter
  passwords: PasswordHasher
  policy: PasswordPolicy
  tokens: Tokens
  sessions: SessionEnder
  confirmIdentity: ConfirmIdentity
  wakeRelay: () => void
}) {
  const { recovery, limiter, tokens, sessions } = deps
  const unanswered = new Set<Promise<void>>()
  deps.service.lifecycle.onStop('consumers', 'requested resets', () => Promise.all(unanswered))

  /**
   * Returns the link id of a token. @throws Problem LINK_INVALID for a foreign token; only the store knows
   * whether a link is usable
   */
  function linkOf(token: string): string {
    const linkId = tokens.readLink(token)
    if (!linkId) throw new Problem('LINK_INVALID')
    return linkId
  }

  return {
    async requestEmailVerification(ctx: AuthenticatedContext): Promise<void> {
      await limiter.take(verifications, ctx.actor.userId)
      if (await recovery.requestVerification(ctx.actor.userId, ctx.requestId)) deps.wakeRelay()
    },

    async confirmEmail(ctx: Context, token: string): Promise<void> {
      const linkId = linkOf(token)
      const userId = await recovery.confirmEmail(linkId, ctx.requestId).catch((err: unknown) => {
        throw err instanceof AlreadyTaken ? new Problem('EMAIL_TAKEN') : err
      })
      if (userId === null) throw new Problem('LINK_INVALID')
      deps.wakeRelay()
      ctx.log.info({ user_id: userId }, 'email address verified')
    },

    async changeEmail(ctx: AuthenticatedContext, email: string, proof: Proof): Promise<void> {
      await limiter.take(emailChanges, ctx.actor.userId)
      await deps.confirmIdentity(ctx, proof)
      await recovery.requestEmailChange(ctx.actor.userId, email, ctx.requestId)
      deps.wakeRelay()
    },

    async undoEmailChange(ctx: Context, token: string): Promise<void> {
      const recovered = await recovery.undoEmailChange(linkOf(token), ctx.requestId)
      if (!recovered) throw new Problem('LINK_INVALID')
      await sessions.committed(recovered.userId, recovered.endedSessions, 'email_change_undone')
      deps.wakeRelay()
      ctx.log.info({ user_id: recovered.userId }, 'change of email address undone')
    },

    async forgotPassword(ctx: Context, email: string, subscriber: string): Promise<void> {
      await limiter.take(resetsFrom, subscriber)
      await limiter.take(resetsOfAddress, createHash('sha256').update(email).digest('base64url').slice(0, 22))
      // Not awaited: the response time must not reveal whether the account exists.
      const work = recovery
        .requestReset(email, ctx.requestId)
        .then((isKnown) => {
          if (isKnown) deps.wakeRelay()
        })
        .catch((err: unknown) => ctx.log.error({ err }, 'requested reset failed'))
      unanswered.add(work)
      void work.finally(() => unanswered.delete(work))
    },

    async resetPassword(ctx: Context, token: string, password: string): Promise<void> {
      const linkId = linkOf(token)
      // Checked first, to avoid hashing for an unusable link.
      const usable = await recovery.isUsable(linkId, 'reset_password')
      if (!usable) throw new Problem('LINK_INVALID')
      await deps.policy.checkFor(usable.userId, password, 'new_password')
      const hash = await deps.passwords.hash(password, ctx.signal)
      const recovered = await recovery.resetPassword(linkId, hash, ctx.requestId)
      if (!recovered) throw new Problem('LINK_INVALID')
      await sessions.committed(recovered.userId, recovered.endedSessions, 'password_changed')
      deps.wakeRelay()
      ctx.log.info({ user_id: recovered.userId }, 'password reset')
    },

    /** Ends a session that its owner did not open, with the link from the mail about it. */
    async endReportedSession(ctx: Context, token: string): Promise<void> {
      const recovered = await recovery.endReportedSession(await linkOf(token), ctx.requestId)
      if (!recovered) throw new Problem('LINK_INVALID')
      await sessions.committed(recovered.userId, recovered.endedSessions, 'revoked')
      deps.wakeRelay()
      ctx.log.warn({ user_id: recovered.userId }, 'session ended by the link about its sign-in')
    },

    /** Returns the token for the sender of the mail. @throws Problem LINK_INVALID */
    async issueAccountLink(linkId: string): Promise<IssuedLink> {
      const link = await recovery.findIssuable(linkId)
      if (!link) throw new Problem('LINK_INVALID')
      const token = tokens.link(link)
      return { ...link, token }
    },
  }
}

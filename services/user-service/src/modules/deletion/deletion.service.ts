import { type AuthenticatedContext, Problem } from '@bigtech/service-kit'
import type { ConfirmIdentity, Proof } from '../second-factor/second-factor.service.ts'
import type { SessionEnder } from '../session/session-ender.ts'
import type { DeletionRepository } from './deletion.repository.ts'
import type { Deletion, MessagePolicy } from './deletion.ts'

export type DeletionService = ReturnType<typeof createDeletionService>

const AT_A_TIME = 20

/**
 * Deleting an account is a saga: one transaction schedules it; another starts it when due, which is the
 * point of no return. Every later step is idempotent, so that any process can resume after a crash.
 */
export function createDeletionService(deps: {
  deletions: DeletionRepository
  sessions: SessionEnder
  confirmIdentity: (...args: Parameters<ConfirmIdentity>) => Promise<string | null>
  /** Grace period for cancelling. 0: the deletion begins immediately. */
  graceMs: number
  /** Removes the user's data in Redis. @throws StoreUnavailable, after which the step is retried */
  forgetInRedis: (userId: number) => Promise<unknown>
  wakeRelay: () => void
}) {
  const { deletions, sessions } = deps

  /** Starts due deletions and performs pending local steps; returns the number of steps. */
  async function resumeDeletions(): Promise<number> {
    if (!(await deletions.hasWork())) return 0
    await deletions.startDue(AT_A_TIME)
    const pending = await deletions.withPendingProfile(AT_A_TIME)
    for (const deletion of pending) {
      await deps.forgetInRedis(deletion.userId)
      await deletions.eraseProfile(deletion)
    }
    return pending.length
  }

  async function getDeletion(id: string): Promise<Deletion> {
    const deletion = await deletions.find(id)
    if (!deletion) throw new Problem('DELETION_NOT_FOUND')
    return deletion
  }

  return {
    resumeDeletions,
    getDeletion,
    reannounce: () => deletions.reannounce(AT_A_TIME),

    async deleteMyAccount(
      ctx: AuthenticatedContext,
      request: Proof & { messagePolicy: MessagePolicy },
    ): Promise<Deletion> {
      const { userId } = ctx.actor
      const checkedHash = await deps.confirmIdentity(ctx, request)
      // Random, not ordered by time: the id is the only secret for following the deletion.
      const id = crypto.randomUUID()
      const { messagePolicy } = request
      const ended = await deletions.begin({
        id,
        userId,
        messagePolicy,
        checkedHash,
        graceMs: deps.graceMs,
        correlationId: ctx.requestId,
      })
      if (ended === null) {
        const detail = 'The password was changed by another request. Sign in again.'
        throw new Problem('PASSWORD_WRONG', { detail })
      }
      await sessions.committed(userId, ended, 'account_deleted')
      deps.wakeRelay()
      ctx.log.info({ deletion_id: id, grace_ms: deps.graceMs }, 'account deletion requested')
      return getDeletion(id)
    },
  }
}

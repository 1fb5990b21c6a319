import { userDeleted } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import type { Transaction } from '../../infrastructure/mysql.ts'
import { eraseExport } from '../export/erase-export.ts'
import { changeUser } from '../history/user-changes.ts'
import { stateOf, type UserState } from '../history/user-history.ts'
import { type DeletionStep, deletionSteps } from './deletion.ts'

/** Erases all personal data. The row stays, because its id must never be reused. */
export async function eraseUser(tx: Transaction, userId: number): Promise<void> {
  const before = await tx.user.update({ where: { id: userId }, data: { lastSeenAt: null } })
  await tx.userEvent.deleteMany({ where: { userId } })
  await changeUser(tx, userId, 'erased', erased(userId, stateOf(before)))
  await tx.userSearchTerm.deleteMany({ where: { userId } })
  await tx.credential.deleteMany({ where: { userId } })
  await tx.userIdentity.deleteMany({ where: { userId } })
  await tx.recoveryCode.deleteMany({ where: { userId } })
  await tx.passkey.deleteMany({ where: { userId } })
  await tx.userActivity.deleteMany({ where: { userId } })
  await tx.session.deleteMany({ where: { userId } })
  await eraseExport(tx, userId)
  await tx.accountLink.deleteMany({ where: { userId } })
  await tx.registration.deleteMany({ where: { userId, state: 'completed' } })
  // Decisions stay with ids only: deleting an account must not erase its moderation history.
  await tx.report.deleteMany({ where: { OR: [{ reporterId: userId }, { targetId: userId }] } })
  await tx.moderationDecision.updateMany({ where: { userId }, data: { note: null, message: null } })
  await tx.userRestriction.updateMany({ where: { userId }, data: { message: null } })
  await tx.friendship.deleteMany({ where: { OR: [{ low: userId }, { high: userId }] } })
  await tx.block.deleteMany({ where: { OR: [{ blockerId: userId }, { blockedId: userId }] } })
  await tx.restrictedPair.deleteMany({ where: { OR: [{ restricterId: userId }, { restrictedId: userId }] } })
  // Raw: the outbox is no model of this service.
  await tx.$executeRaw`DELETE FROM outbox WHERE msg_key = ${String(userId)} AND topic = 'user.events'
    AND event_type NOT IN ('UserDeleted', 'UserSessionRevoked')`
}

/** Returns what is left of a user: the whole state, since the history begins anew with it. */
function erased(userId: number, before: UserState): UserState {
  return {
    ...before,
    ...{
      email: null,
      username: `deleted_${userId}`,
      displayName: '',
      statusMessage: null,
      profileImageUrl: null,
    },
    ...{
      age: null,
      phone: null,
      findableByEmail: false,
      presenceVisibility: 'nobody',
      emailVerifiedAt: null,
    },
    ...{ status: 'deleted', updatedAt: new Date() },
  }
}

/**
 * Compensates a failed registration: erases the reserved account, frees address and username, and has the other
 * services erase what they stored for it, confirmed like every deletion.
 */
export async function discardReserved(
  tx: Transaction,
  outbox: Outbox,
  userId: number,
  correlationId: string,
): Promise<void> {
  const now = new Date()
  await eraseUser(tx, userId)
  await tx.user.update({ where: { id: userId }, data: { usernameSkeleton: null } })
  const id = crypto.randomUUID()
  const isDone = (step: DeletionStep) => step === 'sessions' || step === 'profile'
  const steps = deletionSteps.map((step) => ({ step, doneAt: isDone(step) ? now : null }))
  await tx.accountDeletion.create({
    data: {
      ...{ id, userId, messagePolicy: 'remove', state: 'running' },
      ...{ requestedAt: now, announcedAt: now, dueAt: now },
      steps: { createMany: { data: steps } },
    },
  })
  const payload = { user_id: userId, deletion_id: id, message_policy: 'remove' } as const
  await outbox.enqueue(tx, userDeleted, payload, { correlationId })
}

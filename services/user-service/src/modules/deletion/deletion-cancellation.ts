import type { Transaction } from '../../infrastructure/mysql.ts'

/** Takes a scheduled deletion back, in the transaction of the sign-in that does it. The caller holds the user's row. */
export async function cancelDeletion(tx: Transaction, userId: number): Promise<void> {
  await tx.accountDeletionStep.deleteMany({ where: { deletion: { userId, state: 'scheduled' } } })
  await tx.accountDeletion.deleteMany({ where: { userId, state: 'scheduled' } })
  await tx.user.update({
    where: { id: userId },
    data: { status: 'active', updatedAt: new Date() },
    select: { id: true },
  })
}

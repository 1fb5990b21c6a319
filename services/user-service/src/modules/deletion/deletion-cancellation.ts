import type { Transaction } from '../../infrastructure/mysql.ts'
import { changeUser } from '../history/user-changes.ts'

/** Cancels a scheduled deletion in the transaction of a sign-in. The caller holds the lock on the user's row. */
export async function cancelDeletion(tx: Transaction, userId: number): Promise<void> {
  await tx.accountDeletionStep.deleteMany({ where: { deletion: { userId, state: 'scheduled' } } })
  await tx.accountDeletion.deleteMany({ where: { userId, state: 'scheduled' } })
  await changeUser(tx, userId, 'deletion_cancelled', { status: 'active', updatedAt: new Date() })
}

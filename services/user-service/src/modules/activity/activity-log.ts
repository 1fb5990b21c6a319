import type { ActivityType } from '@bigtech/contracts'
import type { Transaction } from '../../infrastructure/mysql.ts'

export interface NewActivity {
  readonly userId: number
  readonly type: ActivityType
  /** Ids and names of the changed objects; never a secret, an address or a text. */
  readonly data?: Readonly<Record<string, unknown>>
  readonly device?: string
  readonly ipPrefix?: string
}

/** Stores an activity in the caller's transaction. Raw: written with every sign-in. */
export async function recordActivity(tx: Transaction, activity: NewActivity): Promise<void> {
  const { userId, type, data = {}, device = null, ipPrefix = null } = activity
  await tx.$executeRaw`INSERT INTO user_activities (user_id, type, data, device, ip_prefix, created_at)
    VALUES (${userId}, ${type}, ${JSON.stringify(data)}, ${device}, ${ipPrefix}, ${new Date()})`
}

/** Like `recordActivity`, for an event: it may arrive after the account was erased, which must stay erased. */
export async function recordToldActivity(tx: Transaction, activity: NewActivity): Promise<void> {
  // Raw: a lock. The erasure waits for this transaction, or is visible to it.
  const [user] = await tx.$queryRaw<{ status: string }[]>`
    SELECT status FROM users WHERE id = ${activity.userId} LOCK IN SHARE MODE`
  if (user && user.status !== 'deleted') await recordActivity(tx, activity)
}

import { accountMailRequested } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import type { Transaction } from '../../infrastructure/mysql.ts'

export type LinkPurpose =
  | 'verify_email'
  | 'change_email'
  | 'undo_email'
  | 'reset_password'
  | 'end_session'
  | 'download_export'

/** A one-time link sent by mail. */
export interface AccountLink {
  readonly id: string
  readonly userId: number
  readonly purpose: LinkPurpose
  readonly email: string
  readonly expiresAt: Date
  /** The session ended by an end-session link. */
  readonly sessionId: string | null
}

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** Lifetime of each kind of link. */
const linkLifetimeMs: Readonly<Record<LinkPurpose, number>> = {
  verify_email: DAY_MS,
  change_email: DAY_MS,
  undo_email: 7 * DAY_MS,
  reset_password: 30 * MINUTE_MS,
  end_session: 7 * DAY_MS,
  download_export: 7 * DAY_MS,
}
/** Kinds of links that are independent of each other; of any other kind only the newest link is valid. */
const standAlone: readonly LinkPurpose[] = ['undo_email', 'end_session']

/** Stores a link and requests its mail, in the caller's transaction. Replaces unused links of the same kind. */
export async function createLink(
  tx: Transaction,
  outbox: Outbox,
  link: {
    readonly userId: number
    readonly purpose: LinkPurpose
    readonly email: string
    readonly sessionId?: string
  },
  correlationId: string,
): Promise<void> {
  const { userId, purpose, email, sessionId = null } = link
  const now = new Date()
  // Random, not ordered by time: the id authorizes requesting the token inside the network.
  const id = crypto.randomUUID()
  if (!standAlone.includes(purpose))
    await tx.accountLink.deleteMany({ where: { userId, purpose, usedAt: null } })
  const expiresAt = new Date(now.getTime() + linkLifetimeMs[purpose])
  await tx.accountLink.create({ data: { id, userId, purpose, email, sessionId, createdAt: now, expiresAt } })
  await outbox.enqueue(tx, accountMailRequested, { user_id: userId, link_id: id, purpose }, { correlationId })
}

/**
 * Marks a link as used and returns it; null when it is invalid: exactly one of several concurrent uses gets
 * it.
 *
 * @param userId required owner; any owner when omitted
 */
export async function useLink(
  tx: Transaction,
  id: string,
  purposes: readonly LinkPurpose[],
  userId?: number,
): Promise<AccountLink | null> {
  const now = new Date()
  const owner = userId === undefined ? {} : { userId }
  const { count } = await tx.accountLink.updateMany({
    where: { id, purpose: { in: [...purposes] }, usedAt: null, expiresAt: { gt: now }, ...owner },
    data: { usedAt: now },
  })
  if (count === 0) return null
  const row = await tx.accountLink.findUniqueOrThrow({ where: { id } })
  return { ...row, purpose: row.purpose as LinkPurpose }
}

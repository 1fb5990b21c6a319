import { userRegistered } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import type { Transaction } from '../../infrastructure/mysql.ts'
import { searchTermsOf } from '../directory/search-terms.ts'
import { appendUserEvent } from '../history/user-changes.ts'
import { AlreadyTaken } from './account.errors.ts'
import type { Account } from './account.ts'
import { createLink } from './account-links.ts'
import type { Identity } from './identity.repository.ts'
import { isHeldBack } from './recovery.repository.ts'
import { isNameHeldBack } from './username.repository.ts'
import { skeletonDigest, usernameKey } from './username.ts'

export interface NewAccount {
  readonly email: string
  readonly username: string
  readonly displayName: string
  readonly locale: string
  /** Null: signs in with the identity only. */
  readonly passwordHash: string | null
  /** An identity at a provider that has verified the address. */
  readonly identity?: Identity
}

/** The status of an account whose registration is still running: it holds address and username. */
export const RESERVED = 'reserved'

/**
 * Stores account, credentials and the first event of its history. The unique indexes reject a taken address or
 * username. @throws AlreadyTaken when an earlier owner still holds one of them
 */
export async function insertUser(
  tx: Transaction,
  { email, username, displayName, locale, passwordHash, identity }: NewAccount,
  status: 'active' | typeof RESERVED,
): Promise<Account & { readonly version: number }> {
  const now = new Date()
  const user = {
    ...{ email, username, displayName, locale, status, createdAt: now, updatedAt: now },
    ...(identity ? { emailVerifiedAt: now } : {}),
  }
  const { id, version } = await tx.user.create({
    data: {
      ...user,
      usernameKey: usernameKey(username),
      usernameSkeleton: skeletonDigest(username),
      ...(passwordHash === null ? {} : { credential: { create: { passwordHash, changedAt: now } } }),
      ...(identity ? { identities: { create: { ...identity, linkedAt: now } } } : {}),
    },
    select: { id: true, version: true },
  })
  await appendUserEvent(tx, id, 'registered', user)
  if (await isHeldBack(tx, email, id)) throw new AlreadyTaken('email')
  if (await isNameHeldBack(tx, username, id)) throw new AlreadyTaken('username')
  return { userId: id, email, username, displayName, locale, createdAt: now, version }
}

/** Makes an account known: search terms, UserRegistered, and a verification mail unless the address is verified. */
export async function announceUser(
  tx: Transaction,
  outbox: Outbox,
  user: Account & { readonly version: number },
  { isVerified, correlationId }: { readonly isVerified: boolean; readonly correlationId: string },
): Promise<void> {
  const { userId, email, username, displayName, locale, version } = user
  const terms = searchTermsOf({ username, displayName })
  await tx.userSearchTerm.createMany({ data: terms.map((term) => ({ term, userId })) })
  const payload = {
    user_id: userId,
    email,
    username,
    display_name: displayName,
    locale,
    profile_version: version,
  }
  await outbox.enqueue(tx, userRegistered, payload, { correlationId })
  if (!isVerified) await createLink(tx, outbox, { userId, purpose: 'verify_email', email }, correlationId)
}

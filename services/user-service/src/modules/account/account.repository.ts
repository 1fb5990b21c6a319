import { userRegistered } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import type { Mysql, Transaction } from '../../plugins/mysql.ts'
import { searchTermsOf } from '../directory/search-terms.ts'
import { AlreadyTaken } from './account.errors.ts'
import { type Account, type Login, readIdentifier, usernameKey } from './account.ts'

export type AccountRepository = ReturnType<typeof createAccountRepository>

export interface NewAccount {
  readonly email: string
  readonly username: string
  readonly displayName: string
  readonly locale: string
  readonly passwordHash: string
}

/** Users with their credentials. */
export function createAccountRepository(mysql: Mysql, outbox: Outbox) {
  return {
    /** What of the two is taken already: a hint that saves the work of a hash; the index decides. */
    findTaken: (email: string, username: string) =>
      mysql.run('findTaken', async (db): Promise<'email' | 'username' | null> => {
        const key = usernameKey(username)
        const rows = await db.user.findMany({
          where: { OR: [{ email }, { usernameKey: key }] },
          select: { email: true },
          take: 2,
        })
        if (rows.length === 0) return null
        return rows.some((row) => row.email === email) ? 'email' : 'username'
      }),

    /** Account, credentials, search terms and UserRegistered, all or nothing. @throws AlreadyTaken */
    create: (account: NewAccount, correlationId: string): Promise<Account> =>
      mysql
        .transaction('createAccount', (tx) => insertAccount(tx, outbox, account, correlationId))
        .catch((err: unknown) => {
          throw takenBy(err) ?? err
        }),

    findLogin: (identifier: string) =>
      mysql.run('findLogin', async (db): Promise<Login | null> => {
        const user = await db.user.findUnique({
          where: readIdentifier(identifier),
          select: { id: true, username: true, status: true, credential: { select: { passwordHash: true } } },
        })
        if (user?.status !== 'active' || !user.credential) return null
        return { userId: user.id, username: user.username, passwordHash: user.credential.passwordHash }
      }),

    findPasswordHash: (userId: number) =>
      mysql.run('findPasswordHash', async (db): Promise<string | null> => {
        const row = await db.credential.findUnique({ where: { userId }, select: { passwordHash: true } })
        return row?.passwordHash ?? null
      }),

    /**
     * Replaces the hash that was checked; false when it has been replaced meanwhile. `within` runs
     * in the same transaction, after the row is locked: no sign-in with the old password gets in between.
     */
    replacePassword: (
      change: { userId: number; from: string; to: string },
      within: (tx: Transaction) => Promise<unknown>,
    ): Promise<boolean> =>
      mysql.transaction('replacePassword', async (tx) => {
        const changed = await tx.$executeRaw`UPDATE credentials
          SET password_hash = ${change.to}, changed_at = UTC_TIMESTAMP(3)
          WHERE user_id = ${change.userId} AND password_hash = ${change.from}`
        if (changed === 0) return false
        await within(tx)
        return true
      }),
  }
}

async function insertAccount(
  tx: Transaction,
  outbox: Outbox,
  { email, username, displayName, locale, passwordHash }: NewAccount,
  correlationId: string,
): Promise<Account> {
  const now = new Date()
  const { id, version } = await tx.user.create({
    data: {
      email,
      username,
      usernameKey: usernameKey(username),
      displayName,
      locale,
      createdAt: now,
      updatedAt: now,
      credential: { create: { passwordHash, changedAt: now } },
    },
    select: { id: true, version: true },
  })
  const terms = searchTermsOf({ username, displayName })
  await tx.userSearchTerm.createMany({ data: terms.map((term) => ({ term, userId: id })) })
  const payload = {
    user_id: id,
    email,
    username,
    display_name: displayName,
    locale,
    profile_version: version,
  }
  await outbox.enqueue(tx, userRegistered, payload, { correlationId })
  return { userId: id, email, username, displayName, locale, createdAt: now }
}

/** MySQL 8 puts the table before the index name, MariaDB does not. */
function takenBy(err: unknown): AlreadyTaken | undefined {
  const { code, meta } = err as {
    code?: string
    meta?: { driverAdapterError?: { cause?: { constraint?: { index?: string } } } }
  }
  if (code !== 'P2002') return undefined
  const index = meta?.driverAdapterError?.cause?.constraint?.index ?? ''
  if (index.endsWith('users_email')) return new AlreadyTaken('email')
  return index.endsWith('users_username_key') ? new AlreadyTaken('username') : undefined
}

import type { Outbox } from '@bigtech/outbox'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'
import { recordActivity } from '../activity/activity-log.ts'
import { takenBy } from './account.errors.ts'
import { type Account, canSignIn, type Login, readIdentifier } from './account.ts'
import { announceUser, insertUser, type NewAccount } from './new-account.ts'
import { isReserved, skeletonDigest, usernameKey } from './username.ts'

export type AccountRepository = ReturnType<typeof createAccountRepository>

const UNPROTECTED_PAGE = 500

/** Creates the repository of users and their credentials. */
export function createAccountRepository(mysql: Mysql, outbox: Outbox) {
  return {
    /** Returns which of the two is taken; only saves computing a hash, because the index decides. */
    findTaken: (email: string, username: string) =>
      mysql.run('findTaken', async (db): Promise<'email' | 'username' | null> => {
        const names = [{ usernameKey: usernameKey(username) }, { usernameSkeleton: skeletonDigest(username) }]
        const rows = await db.user.findMany({
          where: { OR: [{ email }, ...names] },
          select: { email: true },
          take: 3,
        })
        if (rows.some((row) => row.email === email)) return 'email'
        return rows.length > 0 || isReserved(username) ? 'username' : null
      }),

    /** Stores account, credentials, search terms and UserRegistered atomically. @throws AlreadyTaken */
    create: (account: NewAccount, correlationId: string): Promise<Account> =>
      mysql
        .transaction('createAccount', (tx) => insertAccount(tx, outbox, account, correlationId))
        .catch((err: unknown) => {
          throw takenBy(err) ?? err
        }),

    /** Releases the usernames of accounts whose deletion was requested before `before`. Raw: an update over a join. */
    releaseUsernames: (before: Date) =>
      mysql.run(
        'releaseUsernames',
        (db) => db.$executeRaw`UPDATE users u JOIN account_deletions d ON d.user_id = u.id
          SET u.username_skeleton = NULL
          WHERE u.username_skeleton IS NOT NULL AND d.requested_at < ${before}`,
      ),

    /** Stores skeletons for accounts older than skeletons. Of two lookalikes the older account gets it. Raw: IGNORE skips the other. */
    protectUsernames: () =>
      mysql.run('protectUsernames', async (db) => {
        for (let after = 0; ; ) {
          const users = await db.user.findMany({
            where: { usernameSkeleton: null, status: 'active', id: { gt: after } },
            select: { id: true, username: true },
            orderBy: { id: 'asc' },
            take: UNPROTECTED_PAGE,
          })
          for (const { id, username } of users) {
            await db.$executeRaw`UPDATE IGNORE users SET username_skeleton = ${skeletonDigest(username)}
              WHERE id = ${id} AND status = 'active'`
          }
          const last = users.at(-1)
          if (last === undefined || users.length < UNPROTECTED_PAGE) return
          after = last.id
        }
      }),

    /** Finds a login by typed identifier or id. Null unless the account is active. */
    findLogin: (who: string | number) =>
      mysql.run('findLogin', async (db): Promise<Login | null> => {
        const user = await db.user.findUnique({
          where: typeof who === 'number' ? { id: who } : readIdentifier(who),
          select: {
            ...{ id: true, username: true, status: true, devicesTrustedFrom: true },
            credential: { select: { passwordHash: true, totpEnabledAt: true } },
          },
        })
        if (!user || !canSignIn(user.status)) return null
        const { id: userId, username, devicesTrustedFrom, credential } = user
        const needsCode = (credential?.totpEnabledAt ?? null) !== null
        const passwordHash = credential?.passwordHash ?? null
        return { userId, username, passwordHash, needsCode, devicesTrustedFrom }
      }),

    /** Returns the personal words that a password must not consist of. */
    ownWords: (userId: number) =>
      mysql.run('ownWords', (db) =>
        db.user.findUnique({
          where: { id: userId },
          select: { email: true, username: true, displayName: true },
        }),
      ),

    findPasswordHash: (userId: number) =>
      mysql.run('findPasswordHash', async (db): Promise<string | null> => {
        const row = await db.credential.findUnique({ where: { userId }, select: { passwordHash: true } })
        return row?.passwordHash ?? null
      }),

    notePasswordChange: (tx: Transaction, userId: number) =>
      recordActivity(tx, { userId, type: 'password_changed' }),

    /**
     * Replaces the compared hash; false when it has been replaced in the meantime. `within` runs in the same
     * transaction with the row locked: no sign-in with the old password can interleave.
     */
    replacePassword: (
      change: { userId: number; from: string; to: string },
      within: (tx: Transaction) => Promise<unknown>,
    ): Promise<boolean> =>
      mysql.transaction('replacePassword', async (tx) => {
        const { count } = await tx.credential.updateMany({
          where: { userId: change.userId, passwordHash: change.from },
          data: { passwordHash: change.to, changedAt: new Date() },
        })
        if (count === 0) return false
        await within(tx)
        return true
      }),
  }
}

async function insertAccount(
  tx: Transaction,
  outbox: Outbox,
  account: NewAccount,
  correlationId: string,
): Promise<Account> {
  const user = await insertUser(tx, account, 'active')
  await announceUser(tx, outbox, user, { isVerified: account.identity !== undefined, correlationId })
  return user
}

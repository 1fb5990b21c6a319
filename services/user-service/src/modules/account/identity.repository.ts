import type { Mysql } from '../../infrastructure/mysql.ts'
import { appendUserEvent } from '../history/user-changes.ts'
import { canSignIn } from './account.ts'

export type IdentityRepository = ReturnType<typeof createIdentityRepository>

/** An identity at an identity provider. */
export interface Identity {
  readonly provider: 'google'
  readonly subject: string
}

/** An active account as used for sign-in with an identity provider. */
export interface LinkableAccount {
  readonly userId: number
  readonly username: string
  readonly emailVerified: boolean
}

const linkable = { id: true, username: true, status: true, emailVerifiedAt: true } as const

/** Creates the repository of links between accounts and identity providers. */
export function createIdentityRepository(mysql: Mysql) {
  return {
    /** Returns null for an unknown identity, and for an account being deleted. */
    findUser: (identity: Identity) =>
      mysql.run('findIdentity', async (db): Promise<LinkableAccount | null> => {
        const where = { provider_subject: { ...identity } }
        const row = await db.userIdentity.findUnique({ where, select: { user: { select: linkable } } })
        return row ? accountOf(row.user) : null
      }),

    findByEmail: (email: string) =>
      mysql.run('findLinkable', async (db): Promise<LinkableAccount | null> => {
        const row = await db.user.findUnique({ where: { email }, select: linkable })
        return row ? accountOf(row) : null
      }),

    /**
     * Links an account whose address the provider has verified, which also verifies it here. Returns false
     * when the address has changed in the meantime, or the account has another identity of this provider.
     */
    link: (account: { userId: number; email: string }, identity: Identity) =>
      mysql
        .transaction('linkIdentity', async (tx): Promise<boolean> => {
          const now = new Date()
          // Raw: keeps an earlier date. Locks the row, so that no change of address can interleave.
          const found = await tx.$executeRaw`UPDATE users
            SET email_verified_at = COALESCE(email_verified_at, ${now}), updated_at = ${now}
            WHERE id = ${account.userId} AND email = ${account.email} AND status = 'active'`
          if (found === 0) return false
          const { emailVerifiedAt } = await tx.user.findUniqueOrThrow({ where: { id: account.userId } })
          const data = { emailVerifiedAt, updatedAt: now }
          await appendUserEvent(tx, account.userId, 'identity_linked', data)
          await tx.userIdentity.create({ data: { ...identity, userId: account.userId, linkedAt: now } })
          return true
        })
        .catch((err: unknown) => {
          if ((err as { code?: string }).code === 'P2002') return false
          throw err
        }),
  }
}

function accountOf(row: {
  id: number
  username: string
  status: string
  emailVerifiedAt: Date | null
}): LinkableAccount | null {
  if (!canSignIn(row.status)) return null
  return { userId: row.id, username: row.username, emailVerified: row.emailVerifiedAt !== null }
}

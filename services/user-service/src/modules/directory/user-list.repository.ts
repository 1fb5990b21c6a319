import type { UserRole } from '@bigtech/contracts'
import type { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'
import { readIdentifier } from '../account/account.ts'
import { escapeLike } from './directory.repository.ts'
import type { PublicUser } from './directory.ts'

export type UserListRepository = ReturnType<typeof createUserListRepository>

export interface UserFilter {
  readonly status?: 'active' | 'inactive' | undefined
  /** The beginning of a username, or a complete address. */
  readonly text?: string | undefined
}

/** An account as operators see it. */
export interface ListedAccount extends PublicUser {
  readonly email: string | null
  readonly emailVerified: boolean
  readonly age: number | null
  readonly phone: string | null
  readonly role: UserRole
  readonly state: 'reserved' | 'active' | 'leaving' | 'deleting' | 'deleted'
  readonly loginCount: number
  readonly lastLoginAt: Date | null
  readonly lastSeenAt: Date | null
  readonly onlineCount: number
  readonly createdAt: Date
}

const inactive = ['reserved', 'leaving', 'deleting', 'deleted']

/** The list of all users, for operators. */
export function createUserListRepository(mysql: Mysql) {
  return {
    /** In the order of their ids, one more than `limit`. */
    list: (
      filter: UserFilter,
      page: { limit: number; after?: number | undefined; skip?: number | undefined },
    ) =>
      mysql.run('listUsers', async (db): Promise<ListedAccount[]> => {
        const rows = await db.user.findMany({
          where: { id: { gt: page.after ?? 0 }, ...where(filter) },
          orderBy: { id: 'asc' },
          skip: page.skip ?? 0,
          take: page.limit + 1,
        })
        return rows.map(({ id, emailVerifiedAt, role, status, ...row }) => ({
          ...row,
          userId: id,
          emailVerified: emailVerifiedAt !== null,
          role: role as UserRole,
          state: status as ListedAccount['state'],
        }))
      }),
  }
}

function where({ status, text }: UserFilter): Prisma.UserWhereInput {
  return {
    ...(status && { status: status === 'active' ? 'active' : { in: inactive } }),
    ...(text !== undefined && matching(readIdentifier(text))),
  }
}

function matching(who: ReturnType<typeof readIdentifier>): Prisma.UserWhereInput {
  if ('email' in who) return { email: who.email }
  // Prisma hands `_`, which usernames have, to LIKE as a wildcard.
  return { usernameKey: { startsWith: escapeLike(who.usernameKey) } }
}

import type { Mysql } from '../../infrastructure/mysql.ts'

export type OwnDataRepository = ReturnType<typeof createOwnDataRepository>

const PAGE = 500

interface Numbered {
  readonly id: number | bigint
}

/** Creates the repository of user data beside profile and settings, page by page in id order. */
export function createOwnDataRepository(mysql: Mysql) {
  return {
    activeUser: (userId: number) =>
      mysql.run('exportUser', async (db): Promise<{ userId: number; username: string } | null> => {
        const row = await db.user.findFirst({
          where: { id: userId, status: 'active' },
          select: { username: true },
        })
        return row && { userId, username: row.username }
      }),

    /** Returns the sign-in methods: never a secret, a hash or a key. */
    signIn: (userId: number) =>
      mysql.run('exportSignIn', async (db) => {
        const row = await db.user.findUniqueOrThrow({
          where: { id: userId },
          select: {
            loginCount: true,
            lastLoginAt: true,
            lastSeenAt: true,
            credential: { select: { changedAt: true, totpEnabledAt: true } },
            passkeys: { select: { name: true, createdAt: true, lastUsedAt: true } },
            identities: { select: { provider: true, linkedAt: true } },
            recoveryCodes: { select: { usedAt: true } },
          },
        })
        return {
          login_count: row.loginCount,
          last_login_at: row.lastLoginAt,
          last_seen_at: row.lastSeenAt,
          password_changed_at: row.credential?.changedAt ?? null,
          authenticator_app_since: row.credential?.totpEnabledAt ?? null,
          recovery_codes_left: row.recoveryCodes.filter(({ usedAt }) => usedAt === null).length,
          passkeys: row.passkeys.map(({ name, createdAt, lastUsedAt }) => ({
            name,
            created_at: createdAt,
            last_used_at: lastUsedAt,
          })),
          linked_accounts: row.identities.map(({ provider, linkedAt }) => ({
            provider,
            linked_at: linkedAt,
          })),
        }
      }),

    sessions: (userId: number, last: { readonly id: string } | undefined) =>
      mysql.run('exportSessions', (db) =>
        db.session.findMany({
          where: { userId, id: { gt: last?.id ?? '' } },
          orderBy: { id: 'asc' },
          take: PAGE,
        }),
      ),

    activities: (userId: number, last: Numbered | undefined) =>
      mysql.run('exportActivities', (db) =>
        db.userActivity.findMany({ where: { userId, ...after(last) }, orderBy: { id: 'asc' }, take: PAGE }),
      ),

    /** Returns reports, without copies of other users' messages. */
    reports: (userId: number, last: Numbered | undefined) =>
      mysql.run('exportReports', (db) =>
        db.report.findMany({
          where: { reporterId: userId, ...after(last) },
          orderBy: { id: 'asc' },
          take: PAGE,
          omit: { context: true },
        }),
      ),

    /** Returns moderators' notices to the user, without internal notes. */
    notices: (userId: number, last: Numbered | undefined) =>
      mysql.run('exportNotices', (db) =>
        db.moderationDecision.findMany({
          where: { userId, action: { not: 'dismiss' }, ...after(last) },
          orderBy: { id: 'asc' },
          take: PAGE,
        }),
      ),
  }
}

function after(last: Numbered | undefined) {
  return last === undefined ? {} : { id: { gt: Number(last.id) } }
}

import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { PublicUser, SearchPosition, SearchRow } from './directory.ts'
import type { VersionedUser } from './profile-cache.ts'

export type DirectoryRepository = ReturnType<typeof createDirectoryRepository>

interface Row {
  readonly id: number | bigint
  readonly username: string
  readonly display_name: string
  readonly status_message: string | null
  readonly profile_image_url: string | null
}

interface RelationsAmong {
  /** Users who have blocked the viewer, or whose deletion is scheduled. */
  readonly hidden: ReadonlySet<number>
  readonly friends: ReadonlySet<number>
}

const publicColumns = Prisma.sql`u.id, u.username, u.display_name, u.status_message, u.profile_image_url`

/** SQL condition: users who have blocked the viewer are invisible. */
const notBlocking = (viewerId: number) =>
  Prisma.sql`NOT EXISTS (SELECT 1 FROM blocks b WHERE b.blocker_id = u.id AND b.blocked_id = ${viewerId})`
const notBlocked = (viewerId: number) =>
  Prisma.sql`NOT EXISTS (SELECT 1 FROM blocks c WHERE c.blocker_id = ${viewerId} AND c.blocked_id = u.id)`

/**
 * Creates the repository of profiles visible to a viewer. Raw: NOT EXISTS on the blocks, and a join in index
 * order, in one statement per page.
 */
export function createDirectoryRepository(mysql: Mysql) {
  return {
    /** Returns active users, independent of the viewer. */
    findMany: async (userIds: readonly number[]): Promise<VersionedUser[]> => {
      const rows = await mysql.read<Row & { version: number }>(
        'findProfiles',
        Prisma.sql`SELECT ${publicColumns}, u.version FROM users u
          WHERE u.id IN (${Prisma.join([...userIds])}) AND u.status = 'active'`,
      )
      return rows.map((row) => ({ ...toPublicUser(row), version: row.version }))
    },

    /** Returns the viewer's relations to the given users, in one statement. */
    relationsAmong: (viewerId: number, userIds: readonly number[]) =>
      mysql.run('relationsAmong', async (db): Promise<RelationsAmong> => {
        const ids = Prisma.join([...userIds])
        const rows = await db.$queryRaw<{ kind: 'hidden' | 'friend'; id: number | bigint }[]>`
          SELECT 'hidden' AS kind, b.blocker_id AS id FROM blocks b WHERE b.blocked_id = ${viewerId} AND b.blocker_id IN (${ids})
          UNION ALL SELECT 'hidden', u.id FROM users u WHERE u.id IN (${ids}) AND u.status <> 'active'
          UNION ALL SELECT 'friend', f.high FROM friendships f WHERE f.low = ${viewerId} AND f.high IN (${ids})
          UNION ALL SELECT 'friend', f.low FROM friendships f WHERE f.high = ${viewerId} AND f.low IN (${ids})`
        const of = (kind: string) =>
          new Set(rows.filter((row) => row.kind === kind).map(({ id }) => Number(id)))
        return { hidden: of('hidden'), friends: of('friend') }
      }),

    /** Returns matches in term order. STRAIGHT_JOIN: the index on the terms already has this order. */
    search: (viewerId: number, prefix: string, after: SearchPosition | undefined, limit: number) =>
      mysql.run('searchUsers', async (db): Promise<SearchRow[]> => {
        const rest = after
          ? Prisma.sql`AND t.term >= ${after.term} AND (t.term > ${after.term} OR t.user_id > ${after.userId})`
          : Prisma.empty
        const rows = await db.$queryRaw<(Row & { term: string })[]>`
          SELECT STRAIGHT_JOIN t.term, ${publicColumns}
          FROM user_search_terms t JOIN users u ON u.id = t.user_id
          WHERE t.term LIKE ${`${escapeLike(prefix)}%`} ${rest} AND u.status = 'active'
            AND (u.findable_by_name = 1 OR u.id = ${viewerId})
            AND ${notBlocking(viewerId)} AND ${notBlocked(viewerId)}
          ORDER BY t.term, t.user_id LIMIT ${limit}`
        return rows.map((row) => ({ ...toPublicUser(row), term: row.term }))
      }),

    findByEmail: (viewerId: number, email: string) =>
      mysql.run('findByEmail', async (db): Promise<PublicUser | null> => {
        const [row] = await db.$queryRaw<Row[]>`SELECT ${publicColumns} FROM users u
          WHERE u.email = ${email} AND u.status = 'active' AND ((u.findable_by_email = 1 AND u.email_verified_at IS NOT NULL) OR u.id = ${viewerId})
            AND ${notBlocking(viewerId)} AND ${notBlocked(viewerId)}`
        return row ? toPublicUser(row) : null
      }),
  }
}

/** Makes `%` and `_` mere characters of a LIKE pattern. */
export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

function toPublicUser(row: Row): PublicUser {
  return {
    userId: Number(row.id),
    username: row.username,
    displayName: row.display_name,
    statusMessage: row.status_message,
    profileImageUrl: row.profile_image_url,
  }
}

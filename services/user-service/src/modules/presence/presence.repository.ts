import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { PresenceVisibility, Relation } from './presence.ts'

export type PresenceRepository = ReturnType<typeof createPresenceRepository>

export interface Seen {
  readonly relation: Relation
  readonly lastSeenAt: Date | null
}

interface Row {
  readonly id: number | bigint
  readonly presence_visibility: PresenceVisibility
  readonly last_seen_at: Date | null
  readonly friends: number | bigint
  readonly blocked: number | bigint
  readonly restricted: number | bigint
}

/** Creates the repository of presence visibility and last-seen times. */
export function createPresenceRepository(mysql: Mysql) {
  return {
    /** Returns the relations to all given users in one query; omits unknown users. Raw: several EXISTS per user. */
    relationsOf: (viewerId: number, userIds: readonly number[]) =>
      mysql.run('presenceRelations', async (db): Promise<Map<number, Seen>> => {
        const ids = Prisma.join([...new Set([viewerId, ...userIds])])
        const rows = await db.$queryRaw<Row[]>`
          SELECT u.id, u.presence_visibility, u.last_seen_at,
            EXISTS (SELECT 1 FROM friendships f
              WHERE f.low = LEAST(u.id, ${viewerId}) AND f.high = GREATEST(u.id, ${viewerId})) AS friends,
            EXISTS (SELECT 1 FROM blocks b WHERE b.blocker_id = u.id AND b.blocked_id = ${viewerId})
              OR EXISTS (SELECT 1 FROM blocks c WHERE c.blocker_id = ${viewerId} AND c.blocked_id = u.id) AS blocked,
            EXISTS (SELECT 1 FROM restricted_pairs r WHERE r.restricter_id = u.id AND r.restricted_id = ${viewerId})
              OR EXISTS (SELECT 1 FROM restricted_pairs s WHERE s.restricter_id = ${viewerId} AND s.restricted_id = u.id)
              AS restricted
          FROM users u WHERE u.id IN (${ids}) AND u.status = 'active'`
        const viewer = rows.find(({ id }) => Number(id) === viewerId)
        const viewerVisibility = viewer?.presence_visibility ?? 'nobody'
        return new Map(rows.map((row) => [Number(row.id), toSeen(row, viewerId, viewerVisibility)]))
      }),

    visibilities: (userIds: readonly number[]) =>
      mysql.run('presenceVisibilities', async (db): Promise<Map<number, PresenceVisibility>> => {
        const rows = await db.user.findMany({
          where: { id: { in: [...userIds] }, status: 'active' },
          select: { id: true, presenceVisibility: true },
        })
        return new Map(rows.map((row) => [row.id, row.presenceVisibility as PresenceVisibility]))
      }),
  }
}

function toSeen(row: Row, viewerId: number, viewerVisibility: PresenceVisibility): Seen {
  return {
    lastSeenAt: row.last_seen_at,
    relation: {
      isSelf: Number(row.id) === viewerId,
      friends: Number(row.friends) === 1,
      blocked: Number(row.blocked) === 1,
      restricted: Number(row.restricted) === 1,
      viewerVisibility,
      ownerVisibility: row.presence_visibility,
    },
  }
}

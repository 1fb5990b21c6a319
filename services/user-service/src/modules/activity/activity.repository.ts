import type { ActivityType } from '@bigtech/contracts'
import { inBatches } from '@bigtech/stores'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { Activity } from './activity.ts'

export type ActivityRepository = ReturnType<typeof createActivityRepository>

const PURGE_BATCH = 1_000

/** Creates the repository of activity logs. */
export function createActivityRepository(mysql: Mysql) {
  return {
    /** Returns activities newest first, one more than `limit`. */
    list: (userId: number, limit: number, before?: number) =>
      mysql.run('listActivities', async (db): Promise<Activity[]> => {
        const rows = await db.userActivity.findMany({
          where: { userId, ...(before === undefined ? {} : { id: { lt: before } }) },
          orderBy: { id: 'desc' },
          take: limit + 1,
        })
        return rows.map((row) => ({
          ...row,
          id: Number(row.id),
          type: row.type as ActivityType,
          data: JSON.parse(row.data) as Activity['data'],
        }))
      }),

    /** Deletes old activities. Raw: Prisma's deleteMany has no LIMIT. */
    purge: (before: Date) =>
      inBatches(PURGE_BATCH, (limit) =>
        mysql.run(
          'purgeActivities',
          (db) => db.$executeRaw`DELETE FROM user_activities WHERE created_at < ${before} LIMIT ${limit}`,
        ),
      ),
  }
}

import { inBatches } from '@bigtech/stores'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'

export type RevocationsRepository = ReturnType<typeof createRevocationsRepository>

export interface RevocationPage {
  /** By the database's clock, which dated the revocations. */
  readonly asOf: Date
  readonly revocations: readonly { readonly sessionId: string; readonly revokedAt: Date }[]
  readonly hasMore: boolean
}

const PAGE = 5_000
const PURGE_BATCH = 1_000

/** Stores that sessions have ended, in the transaction that ends them. */
export async function noteRevocations(tx: Transaction, sessionIds: readonly string[]): Promise<void> {
  // Raw: dated by the database, the one clock that all processes share.
  for (const id of sessionIds) {
    await tx.$executeRaw`INSERT IGNORE INTO session_revocations (session_id, revoked_at)
      VALUES (${id}, UTC_TIMESTAMP(3))`
  }
}

/** Sessions that ended lately, for services that poll. */
export function createRevocationsRepository(mysql: Mysql) {
  return {
    since: (since: Date) =>
      mysql.run('revocationsSince', async (db): Promise<RevocationPage> => {
        const [clock] = await db.$queryRaw<{ now: Date }[]>`SELECT UTC_TIMESTAMP(3) AS now`
        const rows = await db.sessionRevocation.findMany({
          where: { revokedAt: { gte: since } },
          orderBy: [{ revokedAt: 'asc' }, { sessionId: 'asc' }],
          take: PAGE,
        })
        const hasMore = rows.length === PAGE
        const asOf = (hasMore ? rows.at(-1)?.revokedAt : clock?.now) ?? new Date()
        return { asOf, revocations: rows, hasMore }
      }),

    /** Deletes what no access token can outlive any more. */
    purge: (before: Date) =>
      inBatches(PURGE_BATCH, (limit) =>
        mysql.run(
          'purgeRevocations',
          // Raw: Prisma's deleteMany has no LIMIT.
          (db) => db.$executeRaw`DELETE FROM session_revocations WHERE revoked_at < ${before} LIMIT ${limit}`,
        ),
      ),
  }
}

import { inBatches } from '@bigtech/stores'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'

export type RevocationsRepository = ReturnType<typeof createRevocationsRepository>

export interface RevocationPage {
  /** Time of the database clock that dates the revocations. */
  readonly asOf: Date
  readonly revocations: readonly { readonly sessionId: string; readonly revokedAt: Date }[]
  readonly hasMore: boolean
}

/** The list's columns are null when it is empty. */
interface RevocationRow {
  readonly now: Date
  readonly sessionId: string | null
  readonly revokedAt: Date | null
}

const PAGE = 5_000
const PURGE_BATCH = 1_000

/** Records ended sessions, in the transaction that ends them. */
export async function noteRevocations(tx: Transaction, sessionIds: readonly string[]): Promise<void> {
  // Raw: dated by the database, the only clock shared by all processes.
  for (const id of sessionIds) {
    await tx.$executeRaw`INSERT IGNORE INTO session_revocations (session_id, revoked_at)
      VALUES (${id}, UTC_TIMESTAMP(3))`
  }
}

/** Creates the repository of recently ended sessions, for polling services. */
export function createRevocationsRepository(mysql: Mysql) {
  const together = new SharedRead((since) => readSince(mysql, since))
  return {
    /** Returns what ended at `since` or later. Requests that wait together end together: one read serves all of them. */
    since: (since: Date): Promise<RevocationPage> => together.since(since),

    /** Returns whether more than `known` sessions ended at `since` or later. */
    isNew: (since: Date, known: number): Promise<boolean> =>
      mysql.has(
        Prisma.sql`SELECT 1 FROM (SELECT COUNT(*) AS ended FROM session_revocations WHERE revoked_at >= ${since}) r
          WHERE r.ended > ${known}`,
      ),

    /** Deletes revocations older than any access token. */
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

async function readSince(mysql: Mysql, since: Date): Promise<RevocationPage> {
  // Clock and list in one statement.
  const rows = await mysql.read<RevocationRow>(
    'revocationsSince',
    Prisma.sql`SELECT clock.now, r.session_id AS sessionId, r.revoked_at AS revokedAt
      FROM (SELECT UTC_TIMESTAMP(3) AS now) clock
      LEFT JOIN (
        SELECT session_id, revoked_at FROM session_revocations WHERE revoked_at >= ${since}
        ORDER BY revoked_at, session_id LIMIT ${PAGE}
      ) r ON TRUE
      ORDER BY r.revoked_at, r.session_id`,
  )
  const revocations = rows.filter(isRevocation)
  const hasMore = revocations.length === PAGE
  const asOf = hasMore ? revocations.at(-1)!.revokedAt : rows[0]!.now
  return { asOf, revocations, hasMore }
}

/** Serves the requests of one turn of the event loop by one read, since the earliest of their times. */
class SharedRead {
  readonly #read: (since: Date) => Promise<RevocationPage>
  #next: { since: Date; readonly page: Promise<RevocationPage> } | undefined

  constructor(read: (since: Date) => Promise<RevocationPage>) {
    this.#read = read
  }

  async since(since: Date): Promise<RevocationPage> {
    this.#next ??= { since, page: this.#begin() }
    const own = this.#next
    if (since < own.since) own.since = since
    const page = await own.page
    // A full page may end before the request's time.
    if (page.hasMore && own.since < since) return this.#read(since)
    return { ...page, revocations: page.revocations.filter(({ revokedAt }) => revokedAt >= since) }
  }

  async #begin(): Promise<RevocationPage> {
    await new Promise((resolve) => setImmediate(resolve))
    const { since } = this.#next!
    this.#next = undefined
    return this.#read(since)
  }
}

function isRevocation(row: RevocationRow): row is RevocationRow & { sessionId: string; revokedAt: Date } {
  return row.sessionId !== null
}

import { type Copies, type Fact, pages } from '@bigtech/service-kit'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import type { ContactsRepository } from './contacts.repository.ts'

const PAGE = 1_000

type ContactRow = NonNullable<Awaited<ReturnType<Tx['contact']['findFirst']>>>

interface PairRow {
  readonly low: number | bigint
  readonly high: number | bigint
  readonly low_blocks_high: number | bigint
  readonly high_blocks_low: number | bigint
  readonly low_restricts_high: number | bigint
  readonly high_restricts_low: number | bigint
}

/** Returns the copies of users, blocks and restrictions, for `bigtech verify`. */
export function contactCopies(mysql: Mysql, contacts: ContactsRepository): Copies {
  return {
    fields: {
      user: ['email', 'username', 'display_name'],
      pair: ['low_blocks_high', 'high_blocks_low', 'low_restricts_high', 'high_restricts_low'],
    },
    all: async function* () {
      for await (const row of pages<ContactRow>((last) => nextContacts(mysql, last))) yield userFact(row)
      for await (const row of pages<PairRow>((last) => nextPairs(mysql, last))) yield pairFact(row)
    },
    drop: ({ kind, ids: [one = 0, other = 0] }) =>
      mysql.transaction('dropContact', async (tx) => {
        if (kind === 'user') return contacts.erase(tx, one, new Date())
        for (const [by, to] of [
          [one, other],
          [other, one],
        ] as const) {
          await contacts.removeBlock(tx, by, to)
          await contacts.setRestriction(tx, by, to, false)
        }
      }),
  }
}

function nextContacts(mysql: Mysql, last: ContactRow | undefined): Promise<ContactRow[]> {
  return mysql.run('copiedContacts', (db) =>
    db.contact.findMany({
      where: { userId: { gt: last?.userId ?? 0n } },
      orderBy: { userId: 'asc' },
      take: PAGE,
    }),
  )
}

/** Reads the next page of pairs. Raw: Prisma cannot group by the smaller and the larger id. */
function nextPairs(mysql: Mysql, last: PairRow | undefined): Promise<PairRow[]> {
  const [low, high] = [last?.low ?? 0, last?.high ?? 0]
  return mysql.run(
    'copiedPairs',
    (db) => db.$queryRaw<PairRow[]>`
      SELECT low, high, MAX(low_blocks) AS low_blocks_high, MAX(high_blocks) AS high_blocks_low,
        MAX(low_restricts) AS low_restricts_high, MAX(high_restricts) AS high_restricts_low FROM (
        SELECT LEAST(blocker_id, blocked_id) AS low, GREATEST(blocker_id, blocked_id) AS high,
          blocker_id < blocked_id AS low_blocks, blocker_id > blocked_id AS high_blocks,
          0 AS low_restricts, 0 AS high_restricts
        FROM blocks
        UNION ALL
        SELECT LEAST(restricter_id, restricted_id), GREATEST(restricter_id, restricted_id), 0, 0,
          restricter_id < restricted_id, restricter_id > restricted_id
        FROM restrictions
      ) AS pairs
      WHERE low > ${low} OR (low = ${low} AND high > ${high})
      GROUP BY low, high ORDER BY low, high LIMIT ${PAGE}`,
  )
}

function userFact({ userId, email, username, displayName, deletedAt }: ContactRow): Fact {
  const fields = { deleted: deletedAt !== null, email, username, display_name: displayName }
  return { kind: 'user', ids: [Number(userId)], fields }
}

function pairFact({ low, high, ...flags }: PairRow): Fact {
  const fields = Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, Number(flag) === 1]))
  return { kind: 'pair', ids: [Number(low), Number(high)], fields }
}

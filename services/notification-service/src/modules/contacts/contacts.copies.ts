import { type Copies, type Fact, pages } from '@bigtech/service-kit'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import type { ContactsRepository } from './contacts.repository.ts'

const PAGE = 1_000

type ContactRow = NonNullable<Awaited<ReturnType<Tx['contact']['findFirst']>>>

interface BlockRow {
  readonly low: number | bigint
  readonly high: number | bigint
  readonly low_blocks: number | bigint
  readonly high_blocks: number | bigint
}

/** Returns the copies of users and blocks, for `bigtech verify`. */
export function contactCopies(mysql: Mysql, contacts: ContactsRepository): Copies {
  return {
    fields: { user: ['email', 'username', 'display_name'], pair: ['low_blocks_high', 'high_blocks_low'] },
    all: async function* () {
      for await (const row of pages<ContactRow>((last) => nextContacts(mysql, last))) yield userFact(row)
      for await (const row of pages<BlockRow>((last) => nextBlocks(mysql, last))) yield pairFact(row)
    },
    drop: ({ kind, ids: [one = 0, other = 0] }) =>
      mysql.transaction('dropContact', async (tx) => {
        if (kind === 'user') return contacts.erase(tx, one, new Date())
        await contacts.removeBlock(tx, one, other)
        await contacts.removeBlock(tx, other, one)
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

/** Reads the next page of blocks. Raw: Prisma cannot group by the smaller and the larger id. */
function nextBlocks(mysql: Mysql, last: BlockRow | undefined): Promise<BlockRow[]> {
  const [low, high] = [last?.low ?? 0, last?.high ?? 0]
  return mysql.run(
    'copiedBlocks',
    (db) => db.$queryRaw<BlockRow[]>`
      SELECT low, high, MAX(low_blocks) AS low_blocks, MAX(high_blocks) AS high_blocks FROM (
        SELECT LEAST(blocker_id, blocked_id) AS low, GREATEST(blocker_id, blocked_id) AS high,
          blocker_id < blocked_id AS low_blocks, blocker_id > blocked_id AS high_blocks
        FROM blocks
      ) AS pairs
      WHERE low > ${low} OR (low = ${low} AND high > ${high})
      GROUP BY low, high ORDER BY low, high LIMIT ${PAGE}`,
  )
}

function userFact({ userId, email, username, displayName, deletedAt }: ContactRow): Fact {
  const fields = { deleted: deletedAt !== null, email, username, display_name: displayName }
  return { kind: 'user', ids: [Number(userId)], fields }
}

function pairFact({ low, high, low_blocks, high_blocks }: BlockRow): Fact {
  const fields = { low_blocks_high: Number(low_blocks) === 1, high_blocks_low: Number(high_blocks) === 1 }
  return { kind: 'pair', ids: [Number(low), Number(high)], fields }
}

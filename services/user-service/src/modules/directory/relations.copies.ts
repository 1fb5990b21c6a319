import { type Copies, type Fact, pages } from '@bigtech/service-kit'
import type { Mysql } from '../../infrastructure/mysql.ts'

const PAGE = 1_000

interface Row {
  readonly low: number | bigint
  readonly high: number | bigint
  readonly friends: number | bigint
  readonly low_blocks_high: number | bigint
  readonly high_blocks_low: number | bigint
  readonly low_restricts_high: number | bigint
  readonly high_restricts_low: number | bigint
}

/** Returns the copies of friendships, blocks and restrictions, for `bigtech verify`. */
export function relationCopies(mysql: Mysql): Copies {
  return {
    fields: {
      pair: ['friends', 'low_blocks_high', 'high_blocks_low', 'low_restricts_high', 'high_restricts_low'],
    },
    all: async function* () {
      for await (const row of pages<Row>((last) => nextPairs(mysql, last))) yield toFact(row)
    },
    drop: async ({ ids: [low = 0, high = 0] }) => {
      await mysql.transaction('dropRelation', async (tx) => {
        await tx.friendship.deleteMany({ where: { low, high } })
        const both = [low, high]
        await tx.block.deleteMany({ where: { blockerId: { in: both }, blockedId: { in: both } } })
        await tx.restrictedPair.deleteMany({
          where: { restricterId: { in: both }, restrictedId: { in: both } },
        })
      })
    },
  }
}

/** Reads the next page of pairs. Raw: Prisma has no UNION. */
function nextPairs(mysql: Mysql, last: Row | undefined): Promise<Row[]> {
  const [low, high] = [last?.low ?? 0, last?.high ?? 0]
  return mysql.run(
    'copiedPairs',
    (db) => db.$queryRaw<Row[]>`
      SELECT low, high, MAX(friends) AS friends, MAX(low_blocks) AS low_blocks_high, MAX(high_blocks) AS high_blocks_low,
        MAX(low_restricts) AS low_restricts_high, MAX(high_restricts) AS high_restricts_low
      FROM (
        SELECT low, high, 1 AS friends, 0 AS low_blocks, 0 AS high_blocks, 0 AS low_restricts, 0 AS high_restricts
        FROM friendships
        UNION ALL
        SELECT LEAST(blocker_id, blocked_id), GREATEST(blocker_id, blocked_id), 0,
          blocker_id < blocked_id, blocker_id > blocked_id, 0, 0 FROM blocks
        UNION ALL
        SELECT LEAST(restricter_id, restricted_id), GREATEST(restricter_id, restricted_id), 0, 0, 0,
          restricter_id < restricted_id, restricter_id > restricted_id FROM restricted_pairs
      ) AS pairs
      WHERE low > ${low} OR (low = ${low} AND high > ${high})
      GROUP BY low, high ORDER BY low, high LIMIT ${PAGE}`,
  )
}

function toFact({ low, high, ...flags }: Row): Fact {
  const fields = Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, Number(flag) === 1]))
  return { kind: 'pair', ids: [Number(low), Number(high)], fields }
}

import { type Copies, type Fact, pages } from '@bigtech/service-kit'
import type { Mysql } from '../../infrastructure/mysql.ts'

const PAGE = 1_000

interface Row {
  readonly low: number | bigint
  readonly high: number | bigint
  readonly friends: number | bigint
  readonly low_blocks_high: number | bigint
  readonly high_blocks_low: number | bigint
}

/** Returns the copies of friendships and blocks, for `bigtech verify`. */
export function relationCopies(mysql: Mysql): Copies {
  return {
    fields: { pair: ['friends', 'low_blocks_high', 'high_blocks_low'] },
    all: async function* () {
      for await (const row of pages<Row>((last) => nextPairs(mysql, last))) yield toFact(row)
    },
    drop: async ({ ids: [low = 0, high = 0] }) => {
      await mysql.transaction('dropRelation', async (tx) => {
        await tx.friendship.deleteMany({ where: { low, high } })
        const both = [low, high]
        await tx.block.deleteMany({ where: { blockerId: { in: both }, blockedId: { in: both } } })
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
      SELECT low, high, MAX(friends) AS friends, MAX(low_blocks) AS low_blocks_high, MAX(high_blocks) AS high_blocks_low
      FROM (
        SELECT low, high, 1 AS friends, 0 AS low_blocks, 0 AS high_blocks FROM friendships
        UNION ALL
        SELECT LEAST(blocker_id, blocked_id), GREATEST(blocker_id, blocked_id), 0, blocker_id < blocked_id, blocker_id > blocked_id
        FROM blocks
      ) AS pairs
      WHERE low > ${low} OR (low = ${low} AND high > ${high})
      GROUP BY low, high ORDER BY low, high LIMIT ${PAGE}`,
  )
}

function toFact({ low, high, friends, low_blocks_high, high_blocks_low }: Row): Fact {
  return {
    kind: 'pair',
    ids: [Number(low), Number(high)],
    fields: {
      friends: Number(friends) === 1,
      low_blocks_high: Number(low_blocks_high) === 1,
      high_blocks_low: Number(high_blocks_low) === 1,
    },
  }
}

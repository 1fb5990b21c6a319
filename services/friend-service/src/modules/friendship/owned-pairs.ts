import { pairStateAnnounced } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import { type Fact, pages } from '@bigtech/service-kit'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'

const PAGE = 500
/** More changes than any pair has between a backup and its restore. */
const VERSION_STEP = 1_000_000

interface Key {
  readonly userLow: bigint
  readonly userHigh: bigint
}

type Row = NonNullable<Awaited<ReturnType<Tx['friendship']['findFirst']>>>

const nextPairs = (db: Pick<Tx, 'friendship'>, last: Key | undefined): Promise<Row[]> =>
  db.friendship.findMany({
    ...(last
      ? {
          where: {
            OR: [
              { userLow: { gt: last.userLow } },
              { userLow: last.userLow, userHigh: { gt: last.userHigh } },
            ],
          },
        }
      : {}),
    orderBy: [{ userLow: 'asc' }, { userHigh: 'asc' }],
    take: PAGE,
  })

const stateOf = (row: Row) => ({
  friends: row.status === 'friends',
  low_blocks_high: row.blockedByLowAt !== null,
  high_blocks_low: row.blockedByHighAt !== null,
  low_restricts_high: row.restrictedByLowAt !== null,
  high_restricts_low: row.restrictedByHighAt !== null,
})

/** Iterates all pairs in the format copied by other services, in id order. */
export async function* ownedPairs(mysql: Mysql): AsyncGenerator<Fact, void> {
  for await (const row of pages<Row>((last) => mysql.run('ownedPairs', (db) => nextPairs(db, last)))) {
    yield { kind: 'pair', ids: [Number(row.userLow), Number(row.userHigh)], fields: stateOf(row) }
  }
}

/**
 * Publishes the current state of every pair. Returns the number of events.
 *
 * @param raiseVersions raises every version first, so that copies newer than a restored pair are replaced
 * too
 */
export async function republishPairs(
  mysql: Mysql,
  outbox: Outbox,
  { raiseVersions, correlationId }: { readonly raiseVersions: boolean; readonly correlationId: string },
): Promise<number> {
  let events = 0
  let last: Key | undefined
  do {
    last = await mysql.transaction('republishPairs', async (tx) => {
      const rows = await nextPairs(tx, last)
      for (const { userLow, userHigh } of rows) {
        const row = await lock(tx, { userLow, userHigh }, raiseVersions ? VERSION_STEP : 0)
        if (!row) continue
        const payload = {
          user_low: Number(userLow),
          user_high: Number(userHigh),
          ...stateOf(row),
          ...(row.version > 0 ? { pair_version: row.version } : {}),
        }
        await outbox.enqueue(tx, pairStateAnnounced, payload, { correlationId })
        events++
      }
      return rows.at(-1)
    })
  } while (last)
  return events
}

/** Locks the row by an update: a concurrent change waits, and its event follows the announcement. */
async function lock(tx: Tx, { userLow, userHigh }: Key, step: number): Promise<Row | null> {
  const { count } = await tx.friendship.updateMany({
    where: { userLow, userHigh },
    data: { version: { increment: step } },
  })
  if (count === 0) return null
  return tx.friendship.findUnique({ where: { userLow_userHigh: { userLow, userHigh } } })
}

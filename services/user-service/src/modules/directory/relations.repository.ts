import type { HandlerOutcome } from '@bigtech/kafka'
import { once } from '@bigtech/outbox'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'

export type RelationsRepository = ReturnType<typeof createRelationsRepository>

/** The relation of two users, of whom `low` has the smaller id. */
export interface PairState {
  readonly low: number
  readonly high: number
  readonly friends: boolean
  readonly lowBlocksHigh: boolean
  readonly highBlocksLow: boolean
  readonly lowRestrictsHigh: boolean
  readonly highRestrictsLow: boolean
}

const CONSUMER = 'user-service.relations'

/** Creates the repository of local copies of friendships, blocks and restrictions. Applies every event once. */
export function createRelationsRepository(mysql: Mysql) {
  const apply = (eventId: string, effect: (tx: Transaction) => Promise<unknown>): Promise<HandlerOutcome> =>
    mysql.transaction('applyRelation', async (tx) => {
      if (!(await once(tx, CONSUMER, eventId))) return 'duplicate'
      await effect(tx)
      return 'applied'
    })
  return {
    /** Returns the viewer's friends among the users. */
    friendsAmong: (viewerId: number, userIds: readonly number[]) =>
      mysql.run('friendsAmong', async (db): Promise<number[]> => {
        const rows = await db.friendship.findMany({
          where: {
            OR: [
              { low: viewerId, high: { in: [...userIds] } },
              { high: viewerId, low: { in: [...userIds] } },
            ],
          },
        })
        return rows.map(({ low, high }) => (low === viewerId ? high : low))
      }),

    addFriendship: (eventId: string, a: number, b: number) =>
      apply(eventId, (tx) => {
        const [low, high] = sorted(a, b)
        return tx.friendship.createMany({ data: [{ low, high }], skipDuplicates: true })
      }),

    removeFriendship: (eventId: string, a: number, b: number) =>
      apply(eventId, (tx) => deleteFriendship(tx, a, b)),

    /** Adds a block, which ends the friendship. */
    addBlock: (eventId: string, blockerId: number, blockedId: number) =>
      apply(eventId, async (tx) => {
        await tx.block.createMany({ data: [{ blockerId, blockedId }], skipDuplicates: true })
        await deleteFriendship(tx, blockerId, blockedId)
      }),

    removeBlock: (eventId: string, blockerId: number, blockedId: number) =>
      apply(eventId, (tx) => tx.block.deleteMany({ where: { blockerId, blockedId } })),

    addRestriction: (eventId: string, restricterId: number, restrictedId: number) =>
      apply(eventId, (tx) =>
        tx.restrictedPair.createMany({ data: [{ restricterId, restrictedId }], skipDuplicates: true }),
      ),

    removeRestriction: (eventId: string, restricterId: number, restrictedId: number) =>
      apply(eventId, (tx) => tx.restrictedPair.deleteMany({ where: { restricterId, restrictedId } })),

    /** Replaces the complete relation of two users. */
    replacePair: (eventId: string, pair: PairState) => apply(eventId, (tx) => replacePair(tx, pair)),
  }
}

async function replacePair(tx: Transaction, pair: PairState): Promise<void> {
  const { low, high } = pair
  await tx.friendship.deleteMany({ where: { low, high } })
  if (pair.friends) await tx.friendship.create({ data: { low, high } })
  await tx.block.deleteMany({
    where: {
      OR: [
        { blockerId: low, blockedId: high },
        { blockerId: high, blockedId: low },
      ],
    },
  })
  if (pair.lowBlocksHigh) await tx.block.create({ data: { blockerId: low, blockedId: high } })
  if (pair.highBlocksLow) await tx.block.create({ data: { blockerId: high, blockedId: low } })
  const both = [low, high]
  await tx.restrictedPair.deleteMany({ where: { restricterId: { in: both }, restrictedId: { in: both } } })
  const restrict = (restricterId: number, restrictedId: number) =>
    tx.restrictedPair.create({ data: { restricterId, restrictedId } })
  if (pair.lowRestrictsHigh) await restrict(low, high)
  if (pair.highRestrictsLow) await restrict(high, low)
}

function deleteFriendship(tx: Transaction, a: number, b: number): Promise<unknown> {
  const [low, high] = sorted(a, b)
  return tx.friendship.deleteMany({ where: { low, high } })
}

function sorted(a: number, b: number): [low: number, high: number] {
  return a < b ? [a, b] : [b, a]
}

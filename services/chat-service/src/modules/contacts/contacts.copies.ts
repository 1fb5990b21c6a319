import { type Copies, type Fact, pages } from '@bigtech/service-kit'
import type { ContactPair, ContactUser } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'

const PAGE = 1_000

/** Returns the copies of names, friendships and blocks, for `bigtech verify`. */
export function contactCopies(mysql: Mysql): Copies {
  return {
    fields: {
      user: ['username', 'display_name', 'profile_image_url'],
      pair: ['friends', 'low_blocks_high', 'high_blocks_low', 'low_restricts_high', 'high_restricts_low'],
    },
    all: async function* () {
      for await (const row of pages<ContactUser>((last) => nextUsers(mysql, last))) yield userFact(row)
      for await (const row of pages<ContactPair>((last) => nextPairs(mysql, last))) yield pairFact(row)
    },
    drop: async ({ kind, ids: [one = 0, other = 0] }) => {
      if (kind === 'user') await forgetUser(mysql, one)
      else
        await mysql.run('contact_drop_pair', (db) =>
          db.contactPair.deleteMany({ where: { low: one, high: other } }),
        )
    },
  }
}

async function forgetUser(mysql: Mysql, userId: number): Promise<void> {
  await mysql.run('contact_drop_user', (db) =>
    db.contactUser.updateMany({
      where: { userId },
      data: { username: '', displayName: '', profileImageUrl: null, deletedAt: new Date() },
    }),
  )
}

function nextUsers(mysql: Mysql, last: ContactUser | undefined): Promise<ContactUser[]> {
  return mysql.run('contact_copied_users', (db) =>
    db.contactUser.findMany({
      where: { userId: { gt: last?.userId ?? 0n } },
      orderBy: { userId: 'asc' },
      take: PAGE,
    }),
  )
}

function nextPairs(mysql: Mysql, last: ContactPair | undefined): Promise<ContactPair[]> {
  const { low, high } = last ?? { low: 0n, high: 0n }
  return mysql.run('contact_copied_pairs', (db) =>
    db.contactPair.findMany({
      where: { OR: [{ low: { gt: low } }, { low, high: { gt: high } }] },
      orderBy: [{ low: 'asc' }, { high: 'asc' }],
      take: PAGE,
    }),
  )
}

function userFact({ userId, username, displayName, profileImageUrl, deletedAt }: ContactUser): Fact {
  const fields = {
    deleted: deletedAt !== null,
    username,
    display_name: displayName,
    profile_image_url: profileImageUrl,
  }
  return { kind: 'user', ids: [Number(userId)], fields }
}

function pairFact({ low, high, friends, ...flags }: ContactPair): Fact {
  const fields = {
    friends,
    low_blocks_high: flags.lowBlocksHigh,
    high_blocks_low: flags.highBlocksLow,
    low_restricts_high: flags.lowRestrictsHigh,
    high_restricts_low: flags.highRestrictsLow,
  }
  return { kind: 'pair', ids: [Number(low), Number(high)], fields }
}

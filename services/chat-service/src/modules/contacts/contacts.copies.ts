import { type Copies, type Fact, pages } from '@bigtech/service-kit'
import type { Mysql } from '../../infrastructure/mysql.ts'

const PAGE = 1_000

interface UserRow {
  readonly user_id: bigint
  readonly username: string
  readonly display_name: string
  readonly profile_image_url: string | null
  readonly deleted_at: Date | null
}

interface PairRow {
  readonly low: bigint
  readonly high: bigint
  readonly friends: boolean | number
  readonly low_blocks_high: boolean | number
  readonly high_blocks_low: boolean | number
}

/** Returns the copies of names, friendships and blocks, for `bigtech verify`. */
export function contactCopies(mysql: Mysql): Copies {
  return {
    fields: {
      user: ['username', 'display_name', 'profile_image_url'],
      pair: ['friends', 'low_blocks_high', 'high_blocks_low'],
    },
    all: async function* () {
      for await (const row of pages<UserRow>((last) => nextUsers(mysql, last))) yield userFact(row)
      for await (const row of pages<PairRow>((last) => nextPairs(mysql, last))) yield pairFact(row)
    },
    drop: async ({ kind, ids: [one = 0, other = 0] }) => {
      if (kind === 'user') await forgetUser(mysql, one)
      else
        await mysql.run(
          'contact_drop_pair',
          (db) => db.$executeRaw`DELETE FROM contact_pairs WHERE low = ${one} AND high = ${other}`,
        )
    },
  }
}

async function forgetUser(mysql: Mysql, userId: number): Promise<void> {
  await mysql.run(
    'contact_drop_user',
    (db) => db.$executeRaw`
      UPDATE contact_users SET username = '', display_name = '', profile_image_url = NULL, deleted_at = UTC_TIMESTAMP(3)
      WHERE user_id = ${userId}`,
  )
}

function nextUsers(mysql: Mysql, last: UserRow | undefined): Promise<UserRow[]> {
  return mysql.run(
    'contact_copied_users',
    (db) => db.$queryRaw<UserRow[]>`
      SELECT user_id, username, display_name, profile_image_url, deleted_at FROM contact_users
      WHERE user_id > ${last?.user_id ?? 0n} ORDER BY user_id LIMIT ${PAGE}`,
  )
}

function nextPairs(mysql: Mysql, last: PairRow | undefined): Promise<PairRow[]> {
  const [low, high] = [last?.low ?? 0n, last?.high ?? 0n]
  return mysql.run(
    'contact_copied_pairs',
    (db) => db.$queryRaw<PairRow[]>`
      SELECT low, high, friends, low_blocks_high, high_blocks_low FROM contact_pairs
      WHERE low > ${low} OR (low = ${low} AND high > ${high}) ORDER BY low, high LIMIT ${PAGE}`,
  )
}

function userFact(row: UserRow): Fact {
  const { username, display_name, profile_image_url } = row
  const fields = { deleted: row.deleted_at !== null, username, display_name, profile_image_url }
  return { kind: 'user', ids: [Number(row.user_id)], fields }
}

function pairFact({ low, high, friends, low_blocks_high, high_blocks_low }: PairRow): Fact {
  return {
    kind: 'pair',
    ids: [Number(low), Number(high)],
    fields: {
      friends: Boolean(friends),
      low_blocks_high: Boolean(low_blocks_high),
      high_blocks_low: Boolean(high_blocks_low),
    },
  }
}

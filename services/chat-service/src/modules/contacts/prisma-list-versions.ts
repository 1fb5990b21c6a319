import { BatchedReads } from '@bigtech/stores'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'

/** `friends`: friends, requests, blocks and their names; `rooms`: titles, roles and the user's settings. */
export type ListName = 'friends' | 'rooms'

/** Version of each list of a user, incremented by every change. */
export type ListVersions = Readonly<Record<ListName, number>>

type Sql = Pick<Tx, '$executeRaw'>

/**
 * Increments these users' list versions in the transaction of the change. Streams compare the versions, so
 * every change is eventually announced to every client, even if frames are lost. Raw, as every write here: an upsert of
 * many rows that adds to the stored values.
 */
export async function countListChange(tx: Sql, userIds: readonly number[], list: ListName): Promise<void> {
  if (userIds.length === 0) return
  const one = list === 'friends' ? Prisma.sql`1, 0` : Prisma.sql`0, 1`
  // A fixed lock order prevents deadlocks.
  const rows = [...userIds].sort((a, b) => a - b).map((userId) => Prisma.sql`(${userId}, ${one})`)
  await tx.$executeRaw`
    INSERT INTO list_versions (user_id, friends, rooms) VALUES ${Prisma.join(rows)} ${increment}`
}

/** Increments the versions for every member of a room. */
export async function countRoomChange(tx: Sql, roomId: number): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO list_versions (user_id, friends, rooms)
    SELECT user_id, 0, 1 FROM room_members WHERE room_id = ${roomId} ORDER BY user_id ${increment}`
}

/** Increments the versions after a new name or image: for friends, and for members of rooms titled by their members. */
export async function countProfileChange(tx: Sql, userId: number): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO list_versions (user_id, friends, rooms)
    SELECT id, 1, 1 FROM (
      SELECT high AS id FROM contact_pairs WHERE low = ${userId} AND friends = 1
      UNION SELECT low FROM contact_pairs WHERE high = ${userId} AND friends = 1
    ) AS friends_of ORDER BY id ${increment}`
  await tx.$executeRaw`
    INSERT INTO list_versions (user_id, friends, rooms)
    SELECT DISTINCT other.user_id, 0, 1 FROM room_members AS own
    JOIN rooms ON rooms.id = own.room_id AND rooms.name IS NULL
    JOIN room_members AS other ON other.room_id = own.room_id AND other.user_id <> own.user_id
    WHERE own.user_id = ${userId} ORDER BY other.user_id ${increment}`
}

const increment = Prisma.sql`ON DUPLICATE KEY UPDATE
  friends = list_versions.friends + VALUES(friends), rooms = list_versions.rooms + VALUES(rooms)`

/** Reads the list versions of users. */
export class ListVersionReader {
  readonly #mysql: Mysql
  readonly #batched = new BatchedReads((userIds) => this.of(userIds))

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  /** Returns the versions of one user. Concurrent reads share statements. */
  async ofUser(userId: number): Promise<ListVersions> {
    return (await this.#batched.get(userId))!
  }

  /** Returns an entry for each user; zero for users without a row. */
  async of(userIds: readonly number[]): Promise<Map<number, ListVersions>> {
    const versions = new Map<number, ListVersions>(
      userIds.map((userId) => [userId, { friends: 0, rooms: 0 }]),
    )
    // Read for every stream that opens, and every second.
    const rows = await this.#mysql.read<Record<'user_id' | ListName, bigint>>(
      'list_versions',
      Prisma.sql`SELECT user_id, friends, rooms FROM list_versions WHERE user_id IN (${Prisma.join([...userIds])})`,
    )
    for (const { user_id, friends, rooms } of rows)
      versions.set(Number(user_id), { friends: Number(friends), rooms: Number(rooms) })
    return versions
  }
}

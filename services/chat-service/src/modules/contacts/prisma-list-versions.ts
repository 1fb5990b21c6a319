import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'

/** `friends`: friends, requests, blocks, and their names; `rooms`: titles, roles and one's own settings. */
export type ListName = 'friends' | 'rooms'

/** How often each list of a user has changed. */
export type ListVersions = Readonly<Record<ListName, number>>

type Sql = Pick<Tx, '$executeRaw'>

/**
 * Counts a change of these users' lists in the transaction that makes it. Streams compare the numbers, so a
 * change that was made is told to every client sooner or later, whatever frame was lost.
 */
export async function countListChange(tx: Sql, userIds: readonly number[], list: ListName): Promise<void> {
  if (userIds.length === 0) return
  const one = list === 'friends' ? Prisma.sql`1, 0` : Prisma.sql`0, 1`
  // In one order, so that two transactions never wait for each other.
  const rows = [...userIds].sort((a, b) => a - b).map((userId) => Prisma.sql`(${userId}, ${one})`)
  await tx.$executeRaw`
    INSERT INTO list_versions (user_id, friends, rooms) VALUES ${Prisma.join(rows)} ${increment}`
}

/** Counts a change of a room for everybody in it. */
export async function countRoomChange(tx: Sql, roomId: number): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO list_versions (user_id, friends, rooms)
    SELECT user_id, 0, 1 FROM room_members WHERE room_id = ${roomId} ORDER BY user_id ${increment}`
}

/** Counts a new name or picture: for friends, and for those whose rooms are titled by their members. */
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

/** Reads the versions of users' lists. */
export class ListVersionReader {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  /** Returns an entry for each user; nothing has changed yet for those who have no row. */
  async of(userIds: readonly number[]): Promise<Map<number, ListVersions>> {
    const versions = new Map<number, ListVersions>(
      userIds.map((userId) => [userId, { friends: 0, rooms: 0 }]),
    )
    const rows = await this.#mysql.run('list_versions', (db) =>
      db.listVersion.findMany({ where: { userId: { in: [...userIds] } } }),
    )
    for (const { userId, friends, rooms } of rows)
      versions.set(Number(userId), { friends: Number(friends), rooms: Number(rooms) })
    return versions
  }
}

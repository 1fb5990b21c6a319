import { BatchedReads } from '@bigtech/stores'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { Role, RoomRules, RoomType } from './membership.ports.ts'
import { peerIn } from './membership.ts'

/** A membership as stored; whether its mute is in force depends on the current time. */
export interface MembershipRecord {
  readonly roomId: number
  readonly userId: number
  readonly role: Role
  readonly roomType: RoomType
  readonly joinedAt: Date
  readonly visibleFromSeq: number
  readonly joinedSeq: number
  readonly directPeerId: number | null
  readonly mutedUntil: Date | null
  readonly silencedUntil: Date | null
  readonly rules: RoomRules
}

interface MembershipRow {
  readonly room_id: bigint
  readonly user_id: bigint
  readonly room_type: RoomType
  readonly direct_key: string | null
  readonly role: Role
  readonly joined_at: Date
  readonly visible_from_seq: bigint
  readonly joined_seq: bigint
  readonly muted_until: Date | null
  readonly silenced_until: Date | null
  readonly posting: RoomRules['posting']
  readonly slow_mode_seconds: number | bigint
}

/** A user may have thousands of rooms. */
const USERS_PER_READ = 25

/** Reads memberships. The rooms module writes them. */
export class MembershipRepository {
  readonly #mysql: Mysql
  readonly #roomIds = new BatchedReads((userIds) => this.#roomIdsOf(userIds), { maxKeys: USERS_PER_READ })
  readonly #ofUsers = new BatchedReads(
    async (userIds) =>
      Map.groupBy(
        await this.#select(Prisma.sql`m.user_id IN (${Prisma.join([...userIds])})`),
        ({ userId }) => userId,
      ),
    { maxKeys: USERS_PER_READ },
  )

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  async roomExists(roomId: number): Promise<boolean> {
    const room = await this.#mysql.run('room', (db) =>
      db.room.findFirst({ where: { id: roomId, deletedAt: null }, select: { id: true } }),
    )
    return room !== null
  }

  /** Returns the memberships of these users in these rooms: a primary key range when there is one of each. */
  async memberships(roomIds: readonly number[], userIds: readonly number[]): Promise<MembershipRecord[]> {
    if (roomIds.length === 0 || userIds.length === 0) return []
    return this.#select(
      Prisma.sql`m.room_id IN (${Prisma.join([...roomIds])}) AND m.user_id IN (${Prisma.join([...userIds])})`,
    )
  }

  /** Returns all memberships of a user. Concurrent reads share statements. */
  async membershipsOf(userId: number): Promise<readonly MembershipRecord[]> {
    return (await this.#ofUsers.get(userId)) ?? []
  }

  async #select(where: Prisma.Sql): Promise<MembershipRecord[]> {
    // Raw: on the path of a message when the cache misses. Prisma would take a statement for each of the three tables.
    const rows = await this.#mysql.read<MembershipRow>(
      'memberships',
      Prisma.sql`
        SELECT m.room_id, m.user_id, r.room_type, r.direct_key, m.role, m.joined_at, m.visible_from_seq,
          m.joined_seq, m.muted_until, s.silenced_until, r.posting, r.slow_mode_seconds
        FROM room_members m JOIN rooms r ON r.id = m.room_id
        LEFT JOIN room_silences s ON s.room_id = m.room_id AND s.user_id = m.user_id
        WHERE ${where}`,
    )
    return rows.map(toRecord)
  }

  async memberIds(roomId: number): Promise<number[]> {
    const members = await this.#mysql.run('member_ids', (db) =>
      db.roomMember.findMany({ where: { roomId }, orderBy: { userId: 'asc' }, select: { userId: true } }),
    )
    return members.map(({ userId }) => Number(userId))
  }

  /** Returns the rooms of a user, in ascending order. Concurrent reads share statements. */
  async roomIdsOf(userId: number): Promise<number[]> {
    return (await this.#roomIds.get(userId)) ?? []
  }

  async #roomIdsOf(userIds: readonly number[]): Promise<Map<number, number[]>> {
    // Raw: read for the first stream of every user.
    const rooms = await this.#mysql.read<Record<'room_id' | 'user_id', bigint>>(
      'room_ids',
      Prisma.sql`SELECT room_id, user_id FROM room_members WHERE user_id IN (${Prisma.join([...userIds])}) ORDER BY room_id`,
    )
    const byUser = new Map<number, number[]>(userIds.map((userId) => [userId, []]))
    for (const { room_id, user_id } of rooms) byUser.get(Number(user_id))!.push(Number(room_id))
    return byUser
  }

  /** Returns the current members among the given users. */
  async present(roomId: number, userIds: readonly number[]): Promise<number[]> {
    if (userIds.length === 0) return []
    const members = await this.#mysql.run('members_present', (db) =>
      db.roomMember.findMany({
        where: { roomId, userId: { in: [...userIds] } },
        select: { userId: true },
      }),
    )
    return members.map(({ userId }) => Number(userId))
  }
}

function toRecord(row: MembershipRow): MembershipRecord {
  return {
    roomId: Number(row.room_id),
    userId: Number(row.user_id),
    role: row.role,
    roomType: row.room_type,
    joinedAt: row.joined_at,
    visibleFromSeq: Number(row.visible_from_seq),
    joinedSeq: Number(row.joined_seq),
    directPeerId: peerIn(row.direct_key, Number(row.user_id)),
    mutedUntil: row.muted_until,
    silencedUntil: row.silenced_until,
    rules: { posting: row.posting, slowModeSeconds: Number(row.slow_mode_seconds) },
  }
}

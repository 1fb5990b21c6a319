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

/** Reads memberships. The rooms module writes them. */
export class MembershipRepository {
  readonly #mysql: Mysql

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
    // Raw: on the path of a message when the cache misses. Prisma would take a statement for each of the three tables.
    const rows = await this.#mysql.run(
      'memberships',
      (db) => db.$queryRaw<
        {
          room_id: bigint
          user_id: bigint
          room_type: RoomType
          direct_key: string | null
          role: Role
          joined_at: Date
          visible_from_seq: bigint
          joined_seq: bigint
          muted_until: Date | null
          silenced_until: Date | null
          posting: RoomRules['posting']
          slow_mode_seconds: number | bigint
        }[]
      >`SELECT m.room_id, m.user_id, r.room_type, r.direct_key, m.role, m.joined_at, m.visible_from_seq,
          m.joined_seq, m.muted_until, s.silenced_until, r.posting, r.slow_mode_seconds
        FROM room_members m JOIN rooms r ON r.id = m.room_id
        LEFT JOIN room_silences s ON s.room_id = m.room_id AND s.user_id = m.user_id
        WHERE m.room_id IN (${Prisma.join([...roomIds])}) AND m.user_id IN (${Prisma.join([...userIds])})`,
    )
    return rows.map((row) => ({
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
    }))
  }

  async memberIds(roomId: number): Promise<number[]> {
    const members = await this.#mysql.run('member_ids', (db) =>
      db.roomMember.findMany({ where: { roomId }, orderBy: { userId: 'asc' }, select: { userId: true } }),
    )
    return members.map(({ userId }) => Number(userId))
  }

  async roomIdsOf(userId: number): Promise<number[]> {
    const rooms = await this.#mysql.run('room_ids', (db) =>
      db.roomMember.findMany({ where: { userId }, orderBy: { roomId: 'asc' }, select: { roomId: true } }),
    )
    return rooms.map(({ roomId }) => Number(roomId))
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

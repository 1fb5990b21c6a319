import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import type { Muting } from '../preferences/preferences.ts'
import { type Membership, membershipKey } from './rooms.ts'

export interface Room {
  readonly roomId: number
  readonly roomType: string
  readonly name: string | null
}

interface MemberRow {
  readonly room_id: bigint
  readonly user_id: bigint
  readonly muted: number
  readonly muted_until: Date | null
}

const BATCH = 500

/** The local copy of rooms with their members and mutes. */
export class RoomsRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  async find(roomId: number): Promise<Room | undefined> {
    const row = await this.#mysql.run('find', (db) => db.room.findUnique({ where: { roomId } }))
    return row ? { roomId: Number(row.roomId), roomType: row.roomType, name: row.name } : undefined
  }

  /** Returns the members' settings of rooms, by `membershipKey`; without those that are no members. */
  async memberships(members: readonly Membership[]): Promise<Map<string, Muting>> {
    if (members.length === 0) return new Map()
    const pairs = members.map(({ roomId, userId }) => Prisma.sql`(${roomId}, ${userId})`)
    const rows = await this.#mysql.read<MemberRow>(
      'memberships',
      Prisma.sql`SELECT room_id, user_id, muted, muted_until FROM room_members
        WHERE (room_id, user_id) IN (${Prisma.join(pairs)})`,
    )
    return new Map(
      rows.map((row) => [
        membershipKey({ roomId: Number(row.room_id), userId: Number(row.user_id) }),
        { muted: row.muted === 1, mutedUntil: row.muted_until },
      ]),
    )
  }

  /** Stores a room. Raw: Prisma's upsert reads first, and two of them may both insert. */
  async put(tx: Tx, room: Room): Promise<void> {
    await tx.$executeRaw`
      INSERT INTO rooms (room_id, room_type, name) VALUES (${room.roomId}, ${room.roomType}, ${room.name})
      ON DUPLICATE KEY UPDATE room_type = VALUES(room_type), name = VALUES(name)`
  }

  async rename(tx: Tx, roomId: number, name: string | null): Promise<void> {
    await tx.room.updateMany({ where: { roomId }, data: { name } })
  }

  async addMembers(tx: Tx, roomId: number, userIds: readonly number[]): Promise<void> {
    for (let from = 0; from < userIds.length; from += BATCH) {
      const data = userIds.slice(from, from + BATCH).map((userId) => ({ roomId, userId }))
      await tx.roomMember.createMany({ data, skipDuplicates: true })
    }
  }

  async removeMembers(tx: Tx, roomId: number, userIds: readonly number[]): Promise<void> {
    if (userIds.length === 0) return
    await tx.roomMember.deleteMany({ where: { roomId, userId: { in: [...userIds] } } })
  }

  async mute(tx: Tx, roomId: number, userId: number, muted: boolean, until: Date | null): Promise<void> {
    await tx.roomMember.updateMany({ where: { roomId, userId }, data: { muted, mutedUntil: until } })
  }

  async remove(tx: Tx, roomId: number): Promise<void> {
    await tx.room.updateMany({ where: { roomId }, data: { deletedAt: new Date(), name: null } })
    await tx.roomMember.deleteMany({ where: { roomId } })
  }

  async forgetUser(tx: Tx, userId: number): Promise<void> {
    await tx.roomMember.deleteMany({ where: { userId } })
  }
}

import type { EventDefinition, EventMeta, RoomAuditAction } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Tx } from '../../infrastructure/mysql.ts'
import { countListChange, countRoomChange } from '../contacts/prisma-list-versions.ts'
import type { HistoryStart, Role } from '../membership/membership.ports.ts'
import { type Candidate, roomLimits } from './room.ts'
import type { HistoryVisibility, RoomRecord } from './room-record.ts'
import { type RoomRow, roomColumns, toRoomRecord } from './room-rows.repository.ts'
import { RoomSanctions } from './room-sanctions.repository.ts'

export interface NewMember extends HistoryStart {
  readonly userId: number
  readonly role: Role
}

/** The history start of founding members. */
export const wholeHistory: HistoryStart = { visibleFromSeq: 1, joinedSeq: 0 }

const oneRoomLess = { rooms: { decrement: 1 }, version: { increment: 1 } }

export interface MemberSettings {
  readonly mutedUntil: Date | null
  readonly pinnedAt: Date | null
  readonly archivedAt: Date | null
}

/**
 * One atomic change of rooms including its events. Member changes lock the room's row, which makes the limit,
 * the roles and the member count exact.
 */
export class RoomTransaction {
  /** Memberships changed by the transaction, by room. */
  readonly members = new Map<number, Set<number>>()
  /** Settings changed by the transaction, by room. */
  readonly settings = new Map<number, Set<number>>()
  readonly sanctions: RoomSanctions
  readonly #tx: Tx
  readonly #outbox: Outbox
  readonly #meta: EventMeta

  constructor(tx: Tx, outbox: Outbox, meta: EventMeta) {
    this.#tx = tx
    this.#outbox = outbox
    this.#meta = meta
    this.sanctions = new RoomSanctions(tx, (roomId, userId) => this.#note(this.settings, roomId, [userId]))
  }

  async publish<Type extends string, Payload extends object>(
    definition: EventDefinition<Type, Payload>,
    payload: Payload,
  ): Promise<void> {
    await this.#outbox.enqueue(this.#tx, definition, payload, this.#meta)
  }

  async insertGroup(room: {
    name: string | null
    imageUrl: string | null
    historyVisibility: HistoryVisibility
    createdBy: number
    at: Date
  }): Promise<number> {
    const { name, imageUrl, historyVisibility, createdBy, at } = room
    const { id } = await this.#tx.room.create({
      data: {
        roomType: 'group',
        name,
        imageUrl,
        historyVisibility,
        createdBy,
        lastActivityAt: at,
        createdAt: at,
      },
      select: { id: true },
    })
    return Number(id)
  }

  /** Inserts a direct room. Returns its id, or undefined when the pair already has one: concurrent calls insert one. */
  async insertDirect(directKey: string, createdBy: number, at: Date): Promise<number | undefined> {
    const { count } = await this.#tx.room.createMany({
      data: { roomType: 'direct', directKey, createdBy, lastActivityAt: at, createdAt: at },
      skipDuplicates: true,
    })
    if (count === 0) return undefined
    const { id } = await this.#tx.room.findUniqueOrThrow({ where: { directKey }, select: { id: true } })
    return Number(id)
  }

  /** Locks a room until the end of the transaction; undefined when it does not exist. */
  async lock(roomId: number): Promise<RoomRecord | undefined> {
    // Raw: Prisma has no FOR UPDATE.
    const [row] = await this.#tx.$queryRaw<RoomRow[]>`
      SELECT ${roomColumns} FROM rooms WHERE id = ${roomId} AND deleted_at IS NULL FOR UPDATE`
    return row && toRoomRecord(row)
  }

  async roleOf(roomId: number, userId: number): Promise<Role | undefined> {
    const member = await this.#tx.roomMember.findUnique({
      where: { roomId_userId: { roomId, userId } },
      select: { role: true },
    })
    return member?.role as Role | undefined
  }

  /** Returns the members among the given users. */
  async present(roomId: number, userIds: readonly number[]): Promise<number[]> {
    const members = await this.#tx.roomMember.findMany({
      where: { roomId, userId: { in: [...userIds] } },
      select: { userId: true },
    })
    return members.map(({ userId }) => Number(userId))
  }

  async candidates(roomId: number): Promise<Candidate[]> {
    const members = await this.#tx.roomMember.findMany({
      where: { roomId },
      select: { userId: true, role: true, joinedAt: true },
    })
    return members.map(({ userId, role, joinedAt }) => ({
      userId: Number(userId),
      role: role as Role,
      joinedAt,
    }))
  }

  /**
   * Adds users who are not members. Returns those who cannot be added, because they are in too many rooms or
   * their account is deleted; the caller must then roll back.
   */
  async addMembers(roomId: number, members: readonly NewMember[], at: Date): Promise<number[]> {
    // A fixed lock order: two rooms with the same users must not deadlock.
    const sorted = [...members].sort((a, b) => a.userId - b.userId)
    await this.#tx.roomMember.createMany({
      data: sorted.map(({ userId, role, visibleFromSeq, joinedSeq }) => ({
        roomId,
        userId,
        role,
        joinedAt: at,
        visibleFromSeq,
        joinedSeq,
      })),
    })
    const ids = sorted.map(({ userId }) => userId)
    await this.#tx.room.updateMany({
      where: { id: roomId },
      data: { memberCount: { increment: members.length } },
    })
    await this.sanctions.forgiveRemovals(roomId, ids)
    // Raw: an upsert of many rows in one statement.
    await this.#tx.$executeRaw`
      INSERT INTO room_counts (user_id, rooms, version)
      VALUES ${Prisma.join(ids.map((id) => Prisma.sql`(${id}, 1, 1)`))}
      ON DUPLICATE KEY UPDATE rooms = rooms + 1, version = version + 1`
    this.#note(this.members, roomId, ids)
    const over = await this.#tx.roomCount.findMany({
      where: { userId: { in: ids }, rooms: { gt: roomLimits.roomsPerUser } },
      select: { userId: true },
    })
    // Raw: Prisma has no row locks. An account is marked as deleted either before this, or after the commit and then
    // finds the room.
    const gone = await this.#tx.$queryRaw<{ user_id: bigint }[]>`
      SELECT user_id FROM contact_users
      WHERE user_id IN (${Prisma.join(ids)}) AND deleted_at IS NOT NULL LOCK IN SHARE MODE`
    return [...over.map(({ userId }) => Number(userId)), ...gone.map(({ user_id }) => Number(user_id))]
  }

  /** Removes a member. Returns false for a non-member. */
  async removeMember(roomId: number, userId: number): Promise<boolean> {
    const { count } = await this.#tx.roomMember.deleteMany({ where: { roomId, userId } })
    if (count === 0) return false
    await this.#tx.room.updateMany({ where: { id: roomId }, data: { memberCount: { decrement: 1 } } })
    await this.#tx.roomCount.updateMany({ where: { userId }, data: oneRoomLess })
    this.#note(this.members, roomId, [userId])
    return true
  }

  /** Adds an entry to the audit log of the room. */
  async audit(entry: {
    roomId: number
    actorId: number
    action: RoomAuditAction
    targetId?: number
    detail?: string | null
  }): Promise<void> {
    await this.#tx.roomAudit.createMany({ data: { ...entry, createdAt: new Date() } })
  }

  /** Returns the user's standing for joining by a link; call under the room's lock. */
  async standing(roomId: number, userId: number): Promise<'member' | 'removed' | 'none'> {
    if (await this.roleOf(roomId, userId)) return 'member'
    return (await this.sanctions.wasRemoved(roomId, userId)) ? 'removed' : 'none'
  }

  async setRole(roomId: number, userId: number, role: Role): Promise<void> {
    await this.#tx.roomMember.updateMany({ where: { roomId, userId }, data: { role } })
    await countListChange(this.#tx, [userId], 'rooms')
    this.#note(this.settings, roomId, [userId])
  }

  async updateRoom(
    roomId: number,
    room: Pick<RoomRecord, 'name' | 'imageUrl' | 'historyVisibility' | 'rules'>,
  ): Promise<void> {
    const { name, imageUrl, historyVisibility, rules } = room
    await this.#tx.room.updateMany({
      where: { id: roomId },
      data: { name, imageUrl, historyVisibility, ...rules },
    })
    await countRoomChange(this.#tx, roomId)
  }

  /** Marks every member's cached rules as stale after the commit. */
  async noteRulesChanged(roomId: number): Promise<void> {
    const members = await this.candidates(roomId)
    this.#note(
      this.settings,
      roomId,
      members.map(({ userId }) => userId),
    )
  }

  /** Deletes a room and its memberships. Returns the former members. */
  async deleteRoom(roomId: number, at: Date): Promise<number[]> {
    const ids = (await this.candidates(roomId)).map(({ userId }) => userId).sort((a, b) => a - b)
    await this.#tx.roomMember.deleteMany({ where: { roomId } })
    await this.#tx.room.updateMany({ where: { id: roomId }, data: { deletedAt: at, memberCount: 0 } })
    await this.#tx.roomLink.deleteMany({ where: { roomId } })
    await this.sanctions.forget({ roomId })
    await this.#tx.roomCount.updateMany({ where: { userId: { in: ids } }, data: oneRoomLess })
    this.#note(this.members, roomId, ids)
    return ids
  }

  async settingsOf(roomId: number, userId: number): Promise<MemberSettings | undefined> {
    // Raw: Prisma has no FOR UPDATE.
    const [row] = await this.#tx.$queryRaw<
      { muted_until: Date | null; pinned_at: Date | null; archived_at: Date | null }[]
    >`SELECT muted_until, pinned_at, archived_at FROM room_members
      WHERE room_id = ${roomId} AND user_id = ${userId} FOR UPDATE`
    return row && { mutedUntil: row.muted_until, pinnedAt: row.pinned_at, archivedAt: row.archived_at }
  }

  async saveSettings(roomId: number, userId: number, settings: MemberSettings): Promise<void> {
    const { mutedUntil, pinnedAt, archivedAt } = settings
    await this.#tx.roomMember.updateMany({
      where: { roomId, userId },
      data: { mutedUntil, pinnedAt, archivedAt },
    })
    await countListChange(this.#tx, [userId], 'rooms')
    this.#note(this.settings, roomId, [userId])
  }

  /** Deletes the remaining data of a deleted account. */
  async forgetUser(userId: number): Promise<void> {
    await this.sanctions.forget({ userId })
    await this.#tx.roomCount.deleteMany({ where: { userId } })
  }

  /** Returns the transaction, for other repositories of this module. */
  get sql(): Tx {
    return this.#tx
  }

  #note(where: Map<number, Set<number>>, roomId: number, userIds: readonly number[]): void {
    const known = where.get(roomId) ?? new Set<number>()
    for (const userId of userIds) known.add(userId)
    where.set(roomId, known)
  }
}

import type { EventDefinition, EventMeta, RoomAuditAction } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Tx } from '../../infrastructure/mysql.ts'
import { countListChange, countRoomChange } from '../contacts/prisma-list-versions.ts'
import type { HistoryStart, Role, RoomRules, RoomType } from '../membership/membership.ports.ts'
import { type Candidate, roomLimits } from './room.ts'

export type HistoryVisibility = 'all' | 'since_join'

export interface RoomRecord {
  readonly roomId: number
  readonly roomType: RoomType
  readonly directKey: string | null
  readonly name: string | null
  readonly imageUrl: string | null
  readonly historyVisibility: HistoryVisibility
  readonly createdBy: number
  readonly memberCount: number
  /** At most a second behind the messages, except after a crash. */
  readonly lastSeq: number
  readonly createdAt: Date
  readonly rules: RoomRules
}

export interface NewMember extends HistoryStart {
  readonly userId: number
  readonly role: Role
}

/** The history start of founding members. */
export const wholeHistory: HistoryStart = { visibleFromSeq: 1, joinedSeq: 0 }

export interface MemberSettings {
  readonly mutedUntil: Date | null
  readonly pinnedAt: Date | null
  readonly archivedAt: Date | null
}

interface RoomRow {
  id: bigint
  room_type: RoomType
  direct_key: string | null
  name: string | null
  image_url: string | null
  history_visibility: HistoryVisibility
  created_by: bigint
  member_count: number | bigint
  last_seq: bigint
  created_at: Date
  posting: RoomRules['posting']
  slow_mode_seconds: number | bigint
}

export const roomColumns = Prisma.sql`id, room_type, direct_key, name, image_url, history_visibility, created_by, member_count, last_seq, created_at, posting, slow_mode_seconds`

/** Converts a row of `rooms` to the domain type. */
export function toRoomRecord(row: RoomRow): RoomRecord {
  return {
    roomId: Number(row.id),
    roomType: row.room_type,
    directKey: row.direct_key,
    name: row.name,
    imageUrl: row.image_url,
    historyVisibility: row.history_visibility,
    createdBy: Number(row.created_by),
    memberCount: Number(row.member_count),
    lastSeq: Number(row.last_seq),
    createdAt: row.created_at,
    rules: { posting: row.posting, slowModeSeconds: Number(row.slow_mode_seconds) },
  }
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
  readonly #tx: Tx
  readonly #outbox: Outbox
  readonly #meta: EventMeta

  constructor(tx: Tx, outbox: Outbox, meta: EventMeta) {
    this.#tx = tx
    this.#outbox = outbox
    this.#meta = meta
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
    await this.#tx.$executeRaw`
      INSERT INTO rooms (room_type, name, image_url, history_visibility, created_by, last_activity_at, created_at)
      VALUES ('group', ${room.name}, ${room.imageUrl}, ${room.historyVisibility}, ${room.createdBy}, ${room.at}, ${room.at})`
    return this.#insertedId()
  }

  /** Inserts a direct room. Returns its id, or undefined when the pair already has one: concurrent calls insert one. */
  async insertDirect(directKey: string, createdBy: number, at: Date): Promise<number | undefined> {
    const inserted = await this.#tx.$executeRaw`
      INSERT IGNORE INTO rooms (room_type, direct_key, created_by, last_activity_at, created_at)
      VALUES ('direct', ${directKey}, ${createdBy}, ${at}, ${at})`
    return inserted === 1 ? this.#insertedId() : undefined
  }

  /** Locks a room until the end of the transaction; undefined when it does not exist. */
  async lock(roomId: number): Promise<RoomRecord | undefined> {
    const [row] = await this.#tx.$queryRaw<RoomRow[]>`
      SELECT ${roomColumns} FROM rooms WHERE id = ${roomId} AND deleted_at IS NULL FOR UPDATE`
    return row && toRoomRecord(row)
  }

  async roleOf(roomId: number, userId: number): Promise<Role | undefined> {
    const [row] = await this.#tx.$queryRaw<{ role: Role }[]>`
      SELECT role FROM room_members WHERE room_id = ${roomId} AND user_id = ${userId}`
    return row?.role
  }

  /** Returns the members among the given users. */
  async present(roomId: number, userIds: readonly number[]): Promise<number[]> {
    if (userIds.length === 0) return []
    const rows = await this.#tx.$queryRaw<{ user_id: bigint }[]>`
      SELECT user_id FROM room_members WHERE room_id = ${roomId} AND user_id IN (${Prisma.join([...userIds])})`
    return rows.map(({ user_id }) => Number(user_id))
  }

  async candidates(roomId: number): Promise<Candidate[]> {
    const rows = await this.#tx.$queryRaw<{ user_id: bigint; role: Role; joined_at: Date }[]>`
      SELECT user_id, role, joined_at FROM room_members WHERE room_id = ${roomId}`
    return rows.map((row) => ({ userId: Number(row.user_id), role: row.role, joinedAt: row.joined_at }))
  }

  /**
   * Adds users who are not members. Returns those who cannot be added, because they are in too many rooms or
   * their account is deleted; the caller must then roll back.
   */
  async addMembers(roomId: number, members: readonly NewMember[], at: Date): Promise<number[]> {
    // A fixed lock order: two rooms with the same users must not deadlock.
    const sorted = [...members].sort((a, b) => a.userId - b.userId)
    const rows = sorted.map(
      ({ userId, role, visibleFromSeq, joinedSeq }) =>
        Prisma.sql`(${roomId}, ${userId}, ${role}, ${at}, ${visibleFromSeq}, ${joinedSeq})`,
    )
    await this.#tx.$executeRaw`
      INSERT INTO room_members (room_id, user_id, role, joined_at, visible_from_seq, joined_seq)
      VALUES ${Prisma.join(rows)}`
    const ids = sorted.map(({ userId }) => userId)
    await this.#tx.$executeRaw`
      UPDATE rooms SET member_count = member_count + ${members.length} WHERE id = ${roomId}`
    await this.#tx
      .$executeRaw`DELETE FROM room_removals WHERE room_id = ${roomId} AND user_id IN (${Prisma.join(ids)})`
    await this.#tx.$executeRaw`
      INSERT INTO room_counts (user_id, rooms) VALUES ${Prisma.join(ids.map((id) => Prisma.sql`(${id}, 1)`))}
      ON DUPLICATE KEY UPDATE rooms = rooms + 1`
    this.#note(this.members, roomId, ids)
    const over = await this.#tx.$queryRaw<{ user_id: bigint }[]>`
      SELECT user_id FROM room_counts WHERE user_id IN (${Prisma.join(ids)}) AND rooms > ${roomLimits.roomsPerUser}`
    // Locks the rows: an account is marked as deleted either before this, or after the commit and then finds
    // the room.
    const gone = await this.#tx.$queryRaw<{ user_id: bigint }[]>`
      SELECT user_id FROM contact_users
      WHERE user_id IN (${Prisma.join(ids)}) AND deleted_at IS NOT NULL LOCK IN SHARE MODE`
    return [...over, ...gone].map(({ user_id }) => Number(user_id))
  }

  /** Removes a member. Returns false for a non-member. */
  async removeMember(roomId: number, userId: number): Promise<boolean> {
    const removed = await this.#tx.$executeRaw`
      DELETE FROM room_members WHERE room_id = ${roomId} AND user_id = ${userId}`
    if (removed === 0) return false
    await this.#tx.$executeRaw`UPDATE rooms SET member_count = member_count - 1 WHERE id = ${roomId}`
    await this.#tx.$executeRaw`UPDATE room_counts SET rooms = rooms - 1 WHERE user_id = ${userId}`
    this.#note(this.members, roomId, [userId])
    return true
  }

  async noteRemoval(
    roomId: number,
    userId: number,
    removedBy: number,
    at: Date,
    banned = false,
  ): Promise<void> {
    await this.#tx.$executeRaw`
      INSERT INTO room_removals (room_id, user_id, removed_by, removed_at, banned)
      VALUES (${roomId}, ${userId}, ${removedBy}, ${at}, ${banned})
      ON DUPLICATE KEY UPDATE removed_by = VALUES(removed_by), removed_at = VALUES(removed_at), banned = VALUES(banned)`
  }

  /** Returns the banned users among the given ones. */
  async bannedAmong(roomId: number, userIds: readonly number[]): Promise<number[]> {
    if (userIds.length === 0) return []
    const rows = await this.#tx.$queryRaw<{ user_id: bigint }[]>`
      SELECT user_id FROM room_removals
      WHERE room_id = ${roomId} AND user_id IN (${Prisma.join([...userIds])}) AND banned = 1`
    return rows.map(({ user_id }) => Number(user_id))
  }

  /** Lifts a ban. Returns false when there was none. */
  async unban(roomId: number, userId: number): Promise<boolean> {
    const lifted = await this.#tx.$executeRaw`
      DELETE FROM room_removals WHERE room_id = ${roomId} AND user_id = ${userId} AND banned = 1`
    return lifted === 1
  }

  async silence(roomId: number, userId: number, until: Date): Promise<void> {
    await this.#tx.$executeRaw`
      INSERT INTO room_silences (room_id, user_id, silenced_until) VALUES (${roomId}, ${userId}, ${until})
      ON DUPLICATE KEY UPDATE silenced_until = VALUES(silenced_until)`
    await countListChange(this.#tx, [userId], 'rooms')
    this.#note(this.settings, roomId, [userId])
  }

  /** Lifts a mute. Returns false when there was none. */
  async unsilence(roomId: number, userId: number): Promise<boolean> {
    const lifted = await this.#tx.$executeRaw`
      DELETE FROM room_silences WHERE room_id = ${roomId} AND user_id = ${userId}`
    if (lifted === 0) return false
    await countListChange(this.#tx, [userId], 'rooms')
    this.#note(this.settings, roomId, [userId])
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
    const { roomId, actorId, action, targetId = null, detail = null } = entry
    await this.#tx.$executeRaw`
      INSERT INTO room_audit (room_id, actor_id, action, target_id, detail, created_at)
      VALUES (${roomId}, ${actorId}, ${action}, ${targetId}, ${detail}, ${new Date()})`
  }

  /** Deletes the removal records of invited users, who may then join by links again. */
  async forgiveRemovals(roomId: number, userIds: readonly number[]): Promise<void> {
    await this.#tx.$executeRaw`
      DELETE FROM room_removals WHERE room_id = ${roomId} AND user_id IN (${Prisma.join([...userIds])})`
  }

  /** Returns the user's standing for joining by a link; call under the room's lock. */
  async standing(roomId: number, userId: number): Promise<'member' | 'removed' | 'none'> {
    const rows = await this.#tx.$queryRaw<{ standing: 'member' | 'removed' }[]>`
      SELECT 'member' AS standing FROM room_members WHERE room_id = ${roomId} AND user_id = ${userId}
      UNION ALL
      SELECT 'removed' FROM room_removals WHERE room_id = ${roomId} AND user_id = ${userId}`
    return rows[0]?.standing ?? 'none'
  }

  async setRole(roomId: number, userId: number, role: Role): Promise<void> {
    await this.#tx.$executeRaw`
      UPDATE room_members SET role = ${role} WHERE room_id = ${roomId} AND user_id = ${userId}`
    await countListChange(this.#tx, [userId], 'rooms')
    this.#note(this.settings, roomId, [userId])
  }

  async updateRoom(
    roomId: number,
    room: Pick<RoomRecord, 'name' | 'imageUrl' | 'historyVisibility' | 'rules'>,
  ): Promise<void> {
    await this.#tx.$executeRaw`
      UPDATE rooms SET name = ${room.name}, image_url = ${room.imageUrl},
        history_visibility = ${room.historyVisibility}, posting = ${room.rules.posting},
        slow_mode_seconds = ${room.rules.slowModeSeconds}
      WHERE id = ${roomId}`
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
    await this.#tx.$executeRaw`DELETE FROM room_members WHERE room_id = ${roomId}`
    await this.#tx.$executeRaw`UPDATE rooms SET deleted_at = ${at}, member_count = 0 WHERE id = ${roomId}`
    await this.#tx.$executeRaw`DELETE FROM room_links WHERE room_id = ${roomId}`
    await this.#tx.$executeRaw`DELETE FROM room_removals WHERE room_id = ${roomId}`
    await this.#tx.$executeRaw`DELETE FROM room_silences WHERE room_id = ${roomId}`
    if (ids.length > 0) {
      await this.#tx
        .$executeRaw`UPDATE room_counts SET rooms = rooms - 1 WHERE user_id IN (${Prisma.join(ids)})`
    }
    this.#note(this.members, roomId, ids)
    return ids
  }

  async settingsOf(roomId: number, userId: number): Promise<MemberSettings | undefined> {
    const [row] = await this.#tx.$queryRaw<
      { muted_until: Date | null; pinned_at: Date | null; archived_at: Date | null }[]
    >`SELECT muted_until, pinned_at, archived_at FROM room_members
      WHERE room_id = ${roomId} AND user_id = ${userId} FOR UPDATE`
    return row && { mutedUntil: row.muted_until, pinnedAt: row.pinned_at, archivedAt: row.archived_at }
  }

  async saveSettings(roomId: number, userId: number, settings: MemberSettings): Promise<void> {
    await this.#tx.$executeRaw`
      UPDATE room_members
      SET muted_until = ${settings.mutedUntil}, pinned_at = ${settings.pinnedAt}, archived_at = ${settings.archivedAt}
      WHERE room_id = ${roomId} AND user_id = ${userId}`
    await countListChange(this.#tx, [userId], 'rooms')
    this.#note(this.settings, roomId, [userId])
  }

  /** Deletes the remaining data of a deleted account. */
  async forgetUser(userId: number): Promise<void> {
    await this.#tx.$executeRaw`DELETE FROM room_removals WHERE user_id = ${userId}`
    await this.#tx.$executeRaw`DELETE FROM room_silences WHERE user_id = ${userId}`
    await this.#tx.$executeRaw`DELETE FROM room_counts WHERE user_id = ${userId}`
  }

  /** Returns the transaction, for other repositories of this module. */
  get sql(): Tx {
    return this.#tx
  }

  async #insertedId(): Promise<number> {
    const [row] = await this.#tx.$queryRaw<{ id: bigint }[]>`SELECT LAST_INSERT_ID() AS id`
    return Number(row!.id)
  }

  #note(where: Map<number, Set<number>>, roomId: number, userIds: readonly number[]): void {
    const known = where.get(roomId) ?? new Set<number>()
    for (const userId of userIds) known.add(userId)
    where.set(roomId, known)
  }
}

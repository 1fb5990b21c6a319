import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { Role } from '../membership/membership.ports.ts'
import type { Activity, ActivityStore } from './room-activity.ts'
import type { RoomOrderStore } from './room-orders.ts'
import type { RoomRecord } from './room-record.ts'
import { type RoomRow, roomColumns, toRoomRecord } from './room-rows.repository.ts'
import type { MemberSettings } from './room-transaction.repository.ts'

/** The sort keys of a user's rooms. */
export interface RoomPlace {
  readonly roomId: number
  readonly pinned: boolean
  readonly lastSeq: number
  readonly lastActivityAt: Date
}

/** A room and the caller's membership in it. */
export interface RoomDetails extends RoomRecord, MemberSettings {
  readonly role: Role
  readonly visibleFromSeq: number
  readonly joinedSeq: number
  readonly lastActivityAt: Date
  readonly silencedUntil: Date | null
}

interface DetailsRow extends RoomRow {
  role: Role
  visible_from_seq: bigint
  joined_seq: bigint
  muted_until: Date | null
  pinned_at: Date | null
  archived_at: Date | null
  last_activity_at: Date
  silenced_until: Date | null
}

/** The only query that orders the list: an index of the member's rooms, and each room by its key. */
export const placesSql = (archived: boolean) =>
  `SELECT m.room_id, m.pinned_at IS NOT NULL AS pinned, r.last_seq, r.last_activity_at
   FROM room_members m JOIN rooms r ON r.id = m.room_id
   WHERE m.user_id = ? AND m.archived_at IS ${archived ? 'NOT NULL' : 'NULL'}`

const detailsColumns = Prisma.sql`${roomColumns}, r.last_activity_at, m.role, m.visible_from_seq, m.joined_seq,
  m.muted_until, m.pinned_at, m.archived_at, s.silenced_until`
const detailsTables = Prisma.sql`room_members m JOIN rooms r ON r.id = m.room_id
  LEFT JOIN room_silences s ON s.room_id = m.room_id AND s.user_id = m.user_id`

interface VersionRow {
  memberships: bigint | null
  settings: bigint | null
}

const versionColumns = (userId: number) =>
  Prisma.sql`(SELECT version FROM room_counts WHERE user_id = ${userId}) AS memberships,
    (SELECT rooms FROM list_versions WHERE user_id = ${userId}) AS settings`

function toVersion({ memberships, settings }: VersionRow): string {
  return `${memberships ?? 0}:${settings ?? 0}`
}

/** Reads the room list and stores its order. */
export class RoomListRepository implements ActivityStore, RoomOrderStore {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  async places(userId: number, archived: boolean): Promise<RoomPlace[]> {
    const rows = await this.#mysql.read<{
      room_id: bigint
      pinned: bigint | number
      last_seq: bigint
      last_activity_at: Date
    }>('room_places', { sql: placesSql(archived), values: [userId] })
    return rows.map((row) => ({
      roomId: Number(row.room_id),
      pinned: Number(row.pinned) === 1,
      lastSeq: Number(row.last_seq),
      lastActivityAt: row.last_activity_at,
    }))
  }

  /** Returns the rooms of which the user is a member. */
  async details(userId: number, roomIds: readonly number[]): Promise<Map<number, RoomDetails>> {
    if (roomIds.length === 0) return new Map()
    const rooms = await this.#details(
      'room_details',
      Prisma.sql`m.user_id = ${userId} AND m.room_id IN (${Prisma.join([...roomIds])})`,
    )
    return new Map(rooms.map((room) => [room.roomId, room]))
  }

  async detailsAt(
    userId: number,
    roomIds: readonly number[],
  ): Promise<{ rooms: Map<number, RoomDetails>; version: string | undefined }> {
    if (roomIds.length === 0) return { rooms: new Map(), version: undefined }
    // Versions and rooms in one statement are of one moment.
    const rows = await this.#mysql.read<DetailsRow & VersionRow>(
      'room_details',
      Prisma.sql`
        SELECT ${detailsColumns}, ${versionColumns(userId)} FROM ${detailsTables}
        WHERE m.user_id = ${userId} AND m.room_id IN (${Prisma.join([...roomIds])})`,
    )
    return {
      rooms: new Map(rows.map((row) => [Number(row.id), toDetails(row)])),
      version: rows[0] && toVersion(rows[0]),
    }
  }

  async listVersion(userId: number): Promise<string> {
    const rows = await this.#mysql.read<VersionRow>(
      'room_list_version',
      Prisma.sql`SELECT ${versionColumns(userId)}`,
    )
    return toVersion(rows[0]!)
  }

  /** Returns the user's rooms in no order; undefined if there are more than `most`. */
  async allDetails(userId: number, archived: boolean, most: number): Promise<RoomDetails[] | undefined> {
    const isListed = archived ? Prisma.sql`IS NOT NULL` : Prisma.sql`IS NULL`
    const rooms = await this.#details(
      'room_details_all',
      Prisma.sql`m.user_id = ${userId} AND m.archived_at ${isListed} LIMIT ${most + 1}`,
    )
    return rooms.length > most ? undefined : rooms
  }

  async #details(operation: string, where: Prisma.Sql): Promise<RoomDetails[]> {
    const rows = await this.#mysql.read<DetailsRow>(
      operation,
      Prisma.sql`SELECT ${detailsColumns} FROM ${detailsTables} WHERE ${where}`,
    )
    return rows.map(toDetails)
  }

  /** Returns the first other members of each room, in the order of joining. */
  async firstMembers(
    roomIds: readonly number[],
    exceptUserId: number,
    count: number,
  ): Promise<Map<number, number[]>> {
    const result = new Map<number, number[]>()
    if (roomIds.length === 0) return result
    // Raw: a window function would read every member of every room; each of these subqueries reads `count` index
    // entries.
    const parts = roomIds.map(
      (roomId) => Prisma.sql`(SELECT room_id, user_id FROM room_members
        WHERE room_id = ${roomId} AND user_id <> ${exceptUserId} ORDER BY joined_at, user_id LIMIT ${count})`,
    )
    const rows = await this.#mysql.read<{ room_id: bigint; user_id: bigint }>(
      'room_first_members',
      Prisma.sql`${Prisma.join(parts, ' UNION ALL ')}`,
    )
    for (const row of rows) {
      const roomId = Number(row.room_id)
      result.set(roomId, [...(result.get(roomId) ?? []), Number(row.user_id)])
    }
    return result
  }

  async saveActivity(activities: readonly Activity[]): Promise<void> {
    if (activities.length === 0) return
    const rows = activities.map(({ roomId, seq, at }, index) =>
      index === 0
        ? Prisma.sql`SELECT ${roomId} AS id, ${seq} AS seq, CAST(${at} AS DATETIME(3)) AS at`
        : Prisma.sql`SELECT ${roomId}, ${seq}, CAST(${at} AS DATETIME(3))`,
    )
    // Raw: updates many rows in one statement, each to the greater value.
    await this.#mysql.transaction(
      'room_activity',
      (tx) => tx.$executeRaw`
        UPDATE rooms JOIN (${Prisma.join(rows, ' UNION ALL ')}) AS touched ON touched.id = rooms.id
        SET rooms.last_activity_at = IF(touched.seq > rooms.last_seq, GREATEST(rooms.last_activity_at, touched.at), rooms.last_activity_at),
            rooms.last_seq = GREATEST(rooms.last_seq, touched.seq)`,
    )
  }
}

function toDetails(row: DetailsRow): RoomDetails {
  return {
    ...toRoomRecord(row),
    role: row.role,
    visibleFromSeq: Number(row.visible_from_seq),
    joinedSeq: Number(row.joined_seq),
    mutedUntil: row.muted_until,
    pinnedAt: row.pinned_at,
    archivedAt: row.archived_at,
    lastActivityAt: row.last_activity_at,
    silencedUntil: row.silenced_until,
  }
}

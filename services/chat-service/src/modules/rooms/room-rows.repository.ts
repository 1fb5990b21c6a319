import { Prisma } from '../../generated/prisma/client.ts'
import type { RoomRules, RoomType } from '../membership/membership.ports.ts'
import type { HistoryVisibility, RoomRecord } from './room-record.ts'

/** A row of a raw statement that selects `roomColumns`. */
export interface RoomRow {
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

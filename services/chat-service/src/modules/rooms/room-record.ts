import type { RoomRules, RoomType } from '../membership/membership.ports.ts'

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

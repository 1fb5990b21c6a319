import type { Room } from '@bigtech/contracts'
import type { HistoryStart } from '../membership/membership.ports.ts'
import type { RoomUpdates } from './room-updates.ts'

export type SystemMessageKind =
  | 'members_invited'
  | 'member_joined'
  | 'member_left'
  | 'member_removed'
  | 'room_renamed'
  | 'room_image_changed'
  | 'owner_changed'
  | 'role_changed'
  | 'member_silenced'
  | 'member_unsilenced'
  | 'posting_changed'
  | 'slow_mode_changed'

export interface SystemMessage {
  readonly roomId: number
  readonly kind: SystemMessageKind
  readonly payload: Readonly<Record<string, unknown>>
  /** Who did it. */
  readonly actorId: number
  /** The id of the event that it tells of: appending it twice must store it once. */
  readonly key: string
}

/** Writes a line into the history that tells of a change. */
export interface SystemMessages {
  append(message: SystemMessage): Promise<void>
}

export interface RoomHead {
  readonly lastSeq: number
  readonly lastMessageType: Room['last_message_type']
  readonly lastMessagePreview: string | null
  readonly lastMessageAt: Date | null
  readonly unreadCount: number
  readonly mentionCount: number
}

/** What the room list shows of the messages. */
export interface RoomHeads {
  /**
   * One entry per room that has messages which the user may see; a missing one counts as empty. At most 100 rooms, each
   * with its newest seq as `newerThan` knows it.
   */
  heads(
    rooms: readonly ({ readonly roomId: number; readonly headSeq: number } & HistoryStart)[],
    userId: number,
  ): Promise<ReadonlyMap<number, RoomHead>>
  /**
   * Those of the rooms that have a message beyond the given seq, with their true newest seq and its
   * time. Since seq has no holes it is enough to look up the ids `room:seq+1` in one query; mostly
   * none is there, and only for those that are the head is read.
   */
  newerThan(
    known: ReadonlyMap<number, number>,
  ): Promise<ReadonlyMap<number, { lastSeq: number; lastMessageAt: Date }>>
  /** The newest seq of a room, exact; 0 for an empty one. */
  headSeq(roomId: number): Promise<number>
}

/** What happens to somebody's messages when the account is deleted. Idempotent. */
export interface MessageErasure {
  erase(userId: number, policy: 'keep' | 'remove'): Promise<void>
}

/** One's own messages for the export of one's data, in pieces. */
export interface MessageExport {
  ownMessages(userId: number): AsyncIterable<Readonly<Record<string, unknown>>>
}

/** What the rooms module asks of the messages module. */
export interface MessagesPort {
  readonly systemMessages: SystemMessages
  readonly heads: RoomHeads
  readonly erasure: MessageErasure
  readonly export: MessageExport
  readonly updates: Pick<RoomUpdates, 'onUpdate'>
}

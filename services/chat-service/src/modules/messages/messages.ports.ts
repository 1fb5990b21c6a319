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
  /** The user who made the change. */
  readonly actorId: number
  /** The id of the recorded event: appending it twice must store it once. */
  readonly key: string
}

/** Writes system messages that record changes. */
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

/** The newest message of a room, where MySQL is behind. */
interface NewerMessage {
  readonly lastSeq: number
  readonly lastMessageAt: Date
}

/** A message that was recently stored in any room. */
export type NewMessage = NewerMessage & { readonly roomId: number }

/** The message data of the room list. */
export interface RoomHeads {
  /**
   * Returns the data of at most 100 rooms and, as `newerThan` does, the rooms with messages beyond `lastSeq`: one
   * request, unless another process has just written.
   *
   * @param news also return the messages of all rooms created since then; undefined when there are `limit` of them
   */
  current(
    rooms: readonly ({ readonly roomId: number; readonly lastSeq: number } & HistoryStart)[],
    userId: number,
    news?: { readonly since: Date; readonly limit: number },
  ): Promise<{
    readonly heads: ReadonlyMap<number, RoomHead>
    readonly newer: ReadonlyMap<number, NewerMessage>
    readonly news: readonly NewMessage[] | undefined
  }>
  /**
   * Returns one entry per room with messages visible to the user; a missing room counts as empty. At most 100
   * rooms, each with its newest seq from `newerThan`.
   */
  heads(
    rooms: readonly ({ readonly roomId: number; readonly headSeq: number } & HistoryStart)[],
    userId: number,
  ): Promise<ReadonlyMap<number, RoomHead>>
  /**
   * Returns the rooms with a message beyond the given seq, with their newest seq and its time. Seqs have no
   * gaps, so one query looks up the ids `room:seq+1`, most of which do not exist; only for existing ones the
   * head is read.
   */
  newerThan(known: ReadonlyMap<number, number>): Promise<ReadonlyMap<number, NewerMessage>>
  /** Returns the exact newest seq of a room; 0 for an empty one. */
  headSeq(roomId: number): Promise<number>
}

/** Erases the messages of a deleted account. Idempotent. */
export interface MessageErasure {
  erase(userId: number, policy: 'keep' | 'remove'): Promise<void>
}

/** Exports a user's own messages in chunks. */
export interface MessageExport {
  ownMessages(userId: number): AsyncIterable<Readonly<Record<string, unknown>>>
}

/** The interface of the messages module for the rooms module. */
export interface MessagesPort {
  readonly systemMessages: SystemMessages
  readonly heads: RoomHeads
  readonly erasure: MessageErasure
  readonly export: MessageExport
  readonly updates: Pick<RoomUpdates, 'onUpdate'>
}

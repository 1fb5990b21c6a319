import type { Room } from '@bigtech/contracts'

/**
 * What the modules of this service know of each other. Rooms own who is in a room; messages own
 * what was said in it; neither reads the other's store.
 */
export type Role = 'owner' | 'admin' | 'member'
export type RoomType = 'direct' | 'group'

export interface Membership {
  readonly roomId: number
  readonly userId: number
  readonly role: Role
  readonly roomType: RoomType
  readonly joinedAt: Date
  /** The first message that this member may see. */
  readonly visibleFromSeq: number
  /** The newest message when they joined. */
  readonly joinedSeq: number
  /** In a direct room the other person, also after that person's account has gone. */
  readonly directPeerId: number | null
  /** Now; a mute with an end is over by itself. */
  readonly muted: boolean
}

/** Where a member's part of the history and of what is unread begins. */
export type HistoryStart = Pick<Membership, 'visibleFromSeq' | 'joinedSeq'>

/** What a member has read without ever having read it: what they may not see, and what is from before they came. */
export function readFloor({ visibleFromSeq, joinedSeq }: HistoryStart): number {
  return Math.max(visibleFromSeq - 1, joinedSeq)
}

/** Somebody came into, or went out of, a room. */
export interface MembershipChange {
  readonly roomId: number
  readonly added: readonly number[]
  readonly removed: readonly number[]
}

/** Answers from memory as long as it can: while MySQL is down, rooms in use go on. */
export interface MembershipReader {
  /** @throws Problem NOT_A_MEMBER for somebody else's room, ROOM_NOT_FOUND for one that is not there. */
  require(roomId: number, userId: number): Promise<Membership>
  /** As `require`, for those to whom a room that one is not in is no error. */
  find(roomId: number, userId: number): Promise<Membership | undefined>
  /** Everybody's in the room, at most 1,000, by user id. Empty for a room that is not there. */
  ofRoom(roomId: number): Promise<readonly Membership[]>
  /** All of the user's, those of archived rooms too, by room id. */
  ofUser(userId: number): Promise<readonly Membership[]>
  /** At most 1,000, by user id. Empty for a room that is not there. */
  memberIds(roomId: number): Promise<readonly number[]>
  /**
   * Called on every process after a change, at least once, with the caches already right: first by
   * the hint on Redis, and again by the event, which may tell of what is known already.
   */
  onChange(listener: (change: MembershipChange) => void): void
  /** Called on every process when the role or the settings of these members are others; more than once. */
  onSettingsChange(listener: (roomId: number, userIds: readonly number[]) => void): void
  /**
   * In a direct room only friends write, and none of a blocked pair.
   * @throws Problem DIRECT_MESSAGE_REFUSED
   */
  assertMaySend(membership: Membership): Promise<void>
}

/** Tells the messages' side of a room's newest message, so that the room list is in order. */
export interface RoomActivity {
  /** Call after every append; cheap: a room is written at most once a second. Never fails. */
  touch(roomId: number, seq: number, at: Date): void
}

export type SystemMessageKind =
  | 'members_invited'
  | 'member_joined'
  | 'member_left'
  | 'member_removed'
  | 'room_renamed'
  | 'room_image_changed'
  | 'owner_changed'
  | 'role_changed'

export interface SystemMessage {
  readonly roomId: number
  readonly kind: SystemMessageKind
  readonly payload: Readonly<Record<string, unknown>>
  /** Who did it. */
  readonly actorId: number
  /** The id of the event that it tells of: appending it twice must store it once. */
  readonly key: string
}

/** From the messages module: a line in the history that tells of a change. */
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

/** From the messages module: what the room list shows of the messages. */
export interface RoomHeads {
  /** One entry per room that has messages which the user may see; a missing one counts as empty. At most 100 rooms. */
  heads(
    rooms: readonly ({ readonly roomId: number } & HistoryStart)[],
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

/** From the messages module: what must happen there when an account is deleted. Safe to repeat. */
export interface MessageErasure {
  erase(userId: number, policy: 'keep' | 'remove'): Promise<void>
}

/** From the messages module: one's own messages for the export of one's data, in pieces. */
export interface MessageExport {
  ownMessages(userId: number): AsyncIterable<Readonly<Record<string, unknown>>>
}

/** What the rooms module asks of the messages module. */
export interface MessagesSide {
  readonly systemMessages: SystemMessages
  readonly heads: RoomHeads
  readonly erasure: MessageErasure
  readonly export: MessageExport
}

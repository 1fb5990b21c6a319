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
  /** Until then the owner or an admin lets them write nothing. */
  readonly silencedUntil: Date | null
  readonly rules: RoomRules
}

/** Who may write in a room, and how often. */
export interface RoomRules {
  readonly posting: 'everyone' | 'admins'
  /** Between two messages of a member; 0: none. */
  readonly slowModeSeconds: number
}

/** Where a member's part of the history and of what is unread begins. */
export type HistoryStart = Pick<Membership, 'visibleFromSeq' | 'joinedSeq'>

/** Somebody came into, or went out of, a room. */
export interface MembershipChange {
  readonly roomId: number
  readonly added: readonly number[]
  readonly removed: readonly number[]
}

/** Answers from the cache where possible: while MySQL is down, rooms in use go on. */
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
  /** Called on every process when these members' roles or settings have changed; more than once. */
  onSettingsChange(listener: (roomId: number, userIds: readonly number[]) => void): void
  /**
   * Whether they may write, react or pin: nobody whom a moderator has muted, or an admin of the room; in a direct room
   * friends alone, and none of a blocked pair.
   * @throws Problem ACCOUNT_MUTED, MEMBER_SILENCED, DIRECT_MESSAGE_REFUSED
   */
  assertMaySend(membership: Membership): Promise<void>
  /**
   * As `assertMaySend`, for a new message.
   * @throws Problem ANNOUNCEMENTS_ONLY besides
   */
  assertMayPost(membership: Membership): Promise<void>
}

export type Role = 'owner' | 'admin' | 'member'
export type RoomType = 'direct' | 'group'

export interface Membership {
  readonly roomId: number
  readonly userId: number
  readonly role: Role
  readonly roomType: RoomType
  readonly joinedAt: Date
  /** The first message visible to this member. */
  readonly visibleFromSeq: number
  /** The newest message at the time of joining. */
  readonly joinedSeq: number
  /** The other user of a direct room, even after that account was deleted. */
  readonly directPeerId: number | null
  /** The current state; a mute with an end expires by itself. */
  readonly muted: boolean
  /** The end of a mute imposed by the owner or an admin. */
  readonly silencedUntil: Date | null
  readonly rules: RoomRules
}

/** Posting permission and slow mode of a room. */
export interface RoomRules {
  readonly posting: 'everyone' | 'admins'
  /** Minimum interval between two messages of a member; 0: none. */
  readonly slowModeSeconds: number
}

/** The start of a member's visible history and of the unread count. */
export type HistoryStart = Pick<Membership, 'visibleFromSeq' | 'joinedSeq'>

/** A user joined or left a room. */
export interface MembershipChange {
  readonly roomId: number
  readonly added: readonly number[]
  readonly removed: readonly number[]
}

/** Reads memberships, cached where possible: active rooms keep working during a MySQL outage. */
export interface MembershipReader {
  /** Returns a membership. @throws Problem NOT_A_MEMBER, or ROOM_NOT_FOUND for an unknown room */
  require(roomId: number, userId: number): Promise<Membership>
  /** Like `require`, but returns undefined instead of throwing. */
  find(roomId: number, userId: number): Promise<Membership | undefined>
  /** Returns all memberships of a room, at most 1,000, by user id. Empty for an unknown room. */
  ofRoom(roomId: number): Promise<readonly Membership[]>
  /** Returns all memberships of a user, including archived rooms, by room id. */
  ofUser(userId: number): Promise<readonly Membership[]>
  /** Returns at most 1,000 member ids, sorted. Empty for an unknown room. */
  memberIds(roomId: number): Promise<readonly number[]>
  /**
   * Registers a listener called on every process after a change, at least once, when the caches are already
   * correct: first for the Redis hint, and again for the event.
   */
  onChange(listener: (change: MembershipChange) => void): void
  /**
   * Resolves when the member changes of a room that this process has heard of are looked up and announced; undefined when there are none.
   * Until then a removed member looks like a member.
   */
  pendingChange(roomId: number): Promise<void> | undefined
  /** Registers a listener called on every process, at least once, when roles or settings of these members changed. */
  onSettingsChange(listener: (roomId: number, userIds: readonly number[]) => void): void
  /**
   * Checks that the member may write, react or pin: not muted by a moderator or a room admin; in a direct
   * room only friends without a block.
   * @throws Problem ACCOUNT_MUTED, MEMBER_SILENCED, DIRECT_MESSAGE_REFUSED
   */
  assertMaySend(membership: Membership): Promise<void>
  /**
   * Like `assertMaySend`, for a new message.
   * @throws Problem ANNOUNCEMENTS_ONLY in addition
   */
  assertMayPost(membership: Membership): Promise<void>
}

import type { StreamFrameData } from '@bigtech/contracts'
import type { ListVersions } from '../contacts/prisma-list-versions.ts'
import type { Membership, MembershipReader } from '../membership/membership.ports.ts'
import type { RoomPosition } from '../messages/log/room-heads.repository.ts'
import { roomOf, type UnixMs } from '../messages/message.ts'
import type { StreamSource } from '../messages/stream-source.ts'
import type { RoomChannels } from './room-channels.ts'
import type { RoomReplay } from './room-replay.ts'
import { RoomSubscription } from './room-subscription.ts'
import { type Cursor, decodeCursor } from './stream-cursor.ts'
import type { StreamSession } from './stream-session.ts'

/**
 * Upper bound of clock differences between processes plus the duration of a write: an entry created earlier
 * than this before a verified moment has been delivered.
 */
export const MARGIN_MS = 30_000
const MAX_AGE_MS = 10 * 60_000
const MAX_MISSED = 1_000
const STATES_MARGIN_MS = 15_000
const MAX_STATES = 5_000
/** Rooms of a new stream that are listed although they may be quiet: 240 bytes in each id for half a minute. */
const MAX_LISTED_UNREAD = 20

/** Reads the list versions of users. */
export interface ListVersionsOf {
  ofUser(userId: number): Promise<ListVersions>
  of(userIds: readonly number[]): Promise<Map<number, ListVersions>>
}

type ResetReason = StreamFrameData<'reset'>['reason']

/** The start of a new stream. */
export interface ResumePlan {
  readonly memberships: readonly Membership[]
  /** Of a resumed stream; a new one starts where the rooms' channels are when it is attached. */
  readonly starts: ReadonlyMap<number, RoomPosition>
  /** Rooms that the cursor lists from their beginning. */
  readonly listed: ReadonlySet<number>
  readonly since: UnixMs
  /** The announced and the current list versions; undefined while MySQL is unavailable. */
  readonly lists: { readonly told: ListVersions | undefined; readonly now: ListVersions | undefined }
  readonly reset: ResetReason | null
  /** Rooms the user joined while disconnected. */
  readonly joined: readonly number[]
}

type Start = Omit<ResumePlan, 'lists'>

const NO_CHANGES: ListVersions = { friends: 0, rooms: 0 }

/** Determines the start position of a new stream in every room, and catches it up. */
export class StreamResume {
  readonly #messages: StreamSource
  readonly #members: MembershipReader
  readonly #channels: RoomChannels
  readonly #replay: RoomReplay
  readonly #listVersions: ListVersionsOf

  constructor(options: {
    readonly messages: StreamSource
    readonly members: MembershipReader
    readonly channels: RoomChannels
    readonly replay: RoomReplay
    readonly listVersions: ListVersionsOf
  }) {
    this.#messages = options.messages
    this.#members = options.members
    this.#channels = options.channels
    this.#replay = options.replay
    this.#listVersions = options.listVersions
  }

  /** Plans the resume. Rejects while the stores cannot be read. */
  async plan(userId: number, lastEventId: string | undefined): Promise<ResumePlan> {
    const now = Date.now()
    // Read first: later changes are announced again.
    const lists = await this.#listsOf(userId)
    const memberships = await this.#members.ofUser(userId)
    const roomIds = memberships.map(({ roomId }) => roomId)
    await this.#channels.open(roomIds)
    const cursor = lastEventId === undefined ? undefined : decodeCursor(lastEventId)
    const refused = refusal(lastEventId, cursor, now)
    if (!refused && cursor) {
      // Another process may have delivered entries that this one has not received yet.
      await this.#channels.verify(roomIds)
      const resumed = await this.#resumed(memberships, cursor)
      if (resumed) return { ...resumed, lists: { told: cursor.lists, now: lists } }
    }
    const fresh = await this.#fresh(memberships, now, refused ?? 'too_many')
    return { ...fresh, lists: { told: lists, now: lists } }
  }

  #listsOf(userId: number): Promise<ListVersions | undefined> {
    return this.#listVersions.ofUser(userId).catch(() => undefined)
  }

  async #fresh(memberships: readonly Membership[], now: UnixMs, reset: ResetReason): Promise<Start> {
    const since = now - MARGIN_MS
    const roomIds = memberships.map(({ roomId }) => roomId)
    const heads = await this.#heads(roomIds)
    // A busy room has thousands of recent entries: what its channel knows is not read again for each new stream.
    const isActive = (roomId: number) => this.#channels.get(roomId)?.hasDeliveredSince(since) ?? false
    const active = roomIds.filter(isActive)
    const maybe = roomIds.filter((roomId) => !isActive(roomId) && this.#mayHaveSince(roomId, since))
    // Listing a quiet room is harmless, so only the length of the id is worth a read.
    const recent = maybe.length > MAX_LISTED_UNREAD ? await this.#recent(maybe, since, heads) : undefined
    // An unlisted room joined recently would look as if it had been joined afterwards.
    const joinedLately = memberships.filter(({ joinedAt }) => joinedAt.getTime() >= since)
    const listed = new Set([
      ...active,
      ...(recent?.keys() ?? maybe),
      ...joinedLately.map(({ roomId }) => roomId),
    ])
    return { memberships, starts: new Map(), since, reset, joined: [], listed }
  }

  async #resumed(memberships: readonly Membership[], cursor: Cursor): Promise<Start | undefined> {
    const unlisted = memberships.map(({ roomId }) => roomId).filter((roomId) => !cursor.rooms.has(roomId))
    const heads = await this.#heads(memberships.map(({ roomId }) => roomId))
    // In the same turn as the heads: a room without recent entries was delivered up to its head.
    const maybe = unlisted.filter((roomId) => this.#mayHaveSince(roomId, cursor.since))
    const recent = await this.#recent(maybe, cursor.since, heads)
    if (!recent) return undefined
    const starts = new Map<number, RoomPosition>()
    const joined: number[] = []
    let missed = 0
    for (const { roomId, joinedAt, visibleFromSeq } of memberships) {
      const head = heads.get(roomId)!
      const listed = cursor.rooms.get(roomId)
      if (!listed && !cursor.isTruncated && joinedAt.getTime() >= cursor.since) {
        joined.push(roomId)
        starts.set(roomId, head)
        continue
      }
      const delivered = listed ?? recent.get(roomId) ?? head
      const start = {
        seq: Math.max(Math.min(delivered.seq, head.seq), visibleFromSeq - 1),
        cseq: Math.min(delivered.cseq, head.cseq),
      }
      starts.set(roomId, start)
      missed += Math.max(0, head.seq - start.seq) + head.cseq - start.cseq
    }
    if (missed > MAX_MISSED) return undefined
    const listed = new Set([...cursor.rooms.keys(), ...recent.keys(), ...joined])
    return { memberships, starts, since: cursor.since, reset: null, joined, listed }
  }

  /** Returns the channels' positions. Opens channels that were closed as idle since the plan was begun. */
  async #heads(roomIds: readonly number[]): Promise<Map<number, RoomPosition>> {
    await this.#channels.open(roomIds)
    return new Map(roomIds.map((roomId) => [roomId, this.#channels.get(roomId)!.position]))
  }

  #mayHaveSince(roomId: number, since: UnixMs): boolean {
    return this.#channels.get(roomId)?.mayHaveSince(since) ?? true
  }

  /**
   * Returns the start positions of rooms with entries created since then; undefined when there are too many
   * entries.
   */
  #recent(
    roomIds: readonly number[],
    since: UnixMs,
    heads: ReadonlyMap<number, RoomPosition>,
  ): Promise<ReadonlyMap<number, RoomPosition> | undefined> {
    const known = new Map(roomIds.map((roomId) => [roomId, heads.get(roomId)!]))
    return this.#messages.positionsBefore(new Date(since), known, MAX_MISSED + 1)
  }

  /** Sends the first frame and the missed ones, and attaches the stream to its rooms. */
  async run(session: StreamSession, plan: ResumePlan): Promise<void> {
    session.cursor.start(plan.since, plan.lists.told ?? NO_CHANGES)
    if (plan.reset === null) await this.#catchUp(session, plan)
    else await this.#startAtHeads(session, plan, plan.reset)
  }

  /**
   * Attaches a new stream where the channels are: a client that fetches again misses nothing before. Nothing is replayed, so that
   * a reconnect storm reads no messages of a busy room.
   */
  async #startAtHeads(session: StreamSession, plan: ResumePlan, reason: ResetReason): Promise<void> {
    const { memberships, listed, lists } = plan
    const at = Date.now()
    const rooms: ({ room_id: number } & RoomPosition)[] = []
    await this.#channels.open(memberships.map(({ roomId }) => roomId))
    // Without an await until all are attached: a channel must not move on between its position and the subscription.
    for (const membership of memberships) {
      const { roomId, visibleFromSeq } = membership
      const channel = this.#channels.get(roomId)!
      rooms.push({ room_id: roomId, ...channel.position })
      if (listed.has(roomId)) session.cursor.set(roomId, { ...channel.position, at })
      const subscription = new RoomSubscription(session, membership)
      if (session.subscribe(subscription)) channel.attach(subscription, visibleFromSeq)
    }
    session.open({ event: 'reset', reason, rooms })
    if (lists.now) session.tellListChanges(lists.now)
  }

  async #catchUp(session: StreamSession, plan: ResumePlan): Promise<void> {
    const { memberships, starts, listed, since, lists, joined } = plan
    const at = Date.now()
    const subscriptions = memberships.map((membership) => {
      const { roomId } = membership
      if (listed.has(roomId)) session.cursor.set(roomId, { ...starts.get(roomId)!, at })
      const subscription = new RoomSubscription(session, membership)
      session.subscribe(subscription)
      return subscription
    })
    const rooms = memberships.map(({ roomId }) => ({ room_id: roomId, ...starts.get(roomId)! }))
    session.open({ event: 'ready', rooms })
    for (const roomId of joined)
      session.sendWithCursor('room_added', { room_id: roomId, ...starts.get(roomId)! })
    if (lists.now) session.tellListChanges(lists.now)
    await this.#sendStates(session, memberships, since)
    for (const subscription of subscriptions) {
      await this.#replay.run(subscription, starts.get(subscription.roomId)!)
    }
  }

  /** Repeats states that are in no log and may have been missed; receiving them twice is harmless. */
  async #sendStates(
    session: StreamSession,
    memberships: readonly Membership[],
    since: UnixMs,
  ): Promise<void> {
    const messages = this.#messages
    const from = new Date(since - STATES_MARGIN_MS)
    const roomIds = memberships.map(({ roomId }) => roomId)
    const moved = await messages.readsSince(roomIds, from, MAX_STATES)
    const byRoom = Map.groupBy(moved, ({ roomId }) => roomId)
    for (const [room_id, each] of byRoom) {
      session.sendFrame('read', {
        room_id,
        positions: each.map(({ userId, seq }) => ({ user_id: userId, seq })),
      })
    }
    for (const message_id of await messages.hiddenSince(session.userId, from, MAX_STATES)) {
      session.sendFrame('message_hidden', { room_id: roomOf(message_id), message_id })
    }
  }
}

function refusal(
  lastEventId: string | undefined,
  cursor: Cursor | undefined,
  now: UnixMs,
): ResetReason | undefined {
  if (lastEventId === undefined || lastEventId === '') return 'new'
  if (!cursor || cursor.since > now + MARGIN_MS) return 'cursor_invalid'
  return now - cursor.since > MAX_AGE_MS ? 'too_old' : undefined
}

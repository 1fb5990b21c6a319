import { hiddenMessage, type Message, type StreamFrameData } from '@bigtech/contracts'
import { type MessageRecord, roomOf, type UnixMs } from '../messages/message.ts'
import { personalView } from '../messages/message.view.ts'
import type { MessagesForStreams } from '../messages/messages.module.ts'
import type { RoomPosition } from '../messages/room-positions.ts'
import type { Membership, MembershipReader } from '../rooms/membership.ts'
import type { StreamConnection } from './connection.ts'
import { type Cursor, decodeCursor } from './cursor.ts'
import { frame } from './frames.ts'
import type { RoomFeed } from './room-feed.ts'
import type { RoomFeeds } from './room-feeds.ts'
import { readRoom } from './room-reader.ts'

/**
 * Clocks of processes may differ, and a write may come into the store after it was made, by less
 * than this together: what is older than a verified moment by more was delivered.
 */
export const MARGIN_MS = 30_000
const MAX_AGE_MS = 10 * 60_000
const MAX_MISSED = 1_000
const STATES_MARGIN_MS = 15_000
const MAX_STATES = 5_000
/** Pages of missed entries that a reader takes at its own pace. */
const MAX_PAGES = 20

type ResetReason = StreamFrameData<'reset'>['reason']

export interface Plan {
  readonly memberships: readonly Membership[]
  readonly starts: Map<number, RoomPosition>
  /** Rooms that must be in the cursor from the beginning. */
  readonly listed: ReadonlySet<number>
  readonly since: UnixMs
  readonly reset: ResetReason | null
  /** Rooms the user came into while the stream was away. */
  readonly joined: readonly number[]
}

/** Brings a new stream to where it belongs: after what its client has had, room by room. */
export class StreamOpening {
  readonly #messages: MessagesForStreams
  readonly #members: MembershipReader
  readonly #feeds: RoomFeeds

  constructor(messages: MessagesForStreams, members: MembershipReader, feeds: RoomFeeds) {
    this.#messages = messages
    this.#members = members
    this.#feeds = feeds
  }

  /** Works out where each room starts. Rejects while the stores cannot be read. */
  async plan(userId: number, lastEventId: string | undefined): Promise<Plan> {
    const now = Date.now()
    const memberships = await this.#members.ofUser(userId)
    const roomIds = memberships.map(({ roomId }) => roomId)
    await this.#feeds.open(roomIds)
    const cursor = lastEventId === undefined ? undefined : decodeCursor(lastEventId)
    const refused = refusal(lastEventId, cursor, now)
    if (refused || !cursor) return this.#fresh(memberships, now, refused ?? 'new')
    // Another process may have delivered what this one has not heard of yet.
    await this.#feeds.verify(roomIds)
    return (await this.#resumed(memberships, cursor)) ?? this.#fresh(memberships, now, 'too_many')
  }

  /** Starts where the feeds are: a client without a past has nothing to miss. */
  #fresh(memberships: readonly Membership[], now: UnixMs, reset: ResetReason): Plan {
    const since = now - MARGIN_MS
    const roomIds = memberships.map(({ roomId }) => roomId)
    const starts = this.#heads(roomIds)
    const listed = new Set(roomIds.filter((roomId) => this.#feeds.get(roomId)?.mayHaveSince(since) ?? true))
    return { memberships, starts, since, reset, joined: [], listed }
  }

  async #resumed(memberships: readonly Membership[], cursor: Cursor): Promise<Plan | undefined> {
    const unlisted = memberships.map(({ roomId }) => roomId).filter((roomId) => !cursor.rooms.has(roomId))
    // In the same moment: a room that has nothing since was delivered up to this head.
    const heads = this.#heads(memberships.map(({ roomId }) => roomId))
    const maybe = unlisted.filter((roomId) => this.#feeds.get(roomId)?.mayHaveSince(cursor.since) ?? true)
    const recent = await this.#recent(maybe, cursor.since, heads)
    if (!recent) return undefined
    const starts = new Map<number, RoomPosition>()
    const joined: number[] = []
    let missed = 0
    for (const { roomId, joinedAt, visibleFromSeq } of memberships) {
      const head = heads.get(roomId)!
      const listed = cursor.rooms.get(roomId)
      if (!listed && joinedAt.getTime() >= cursor.since) {
        joined.push(roomId)
        starts.set(roomId, head)
        continue
      }
      const had = listed ?? recent.get(roomId) ?? head
      const start = {
        seq: Math.max(Math.min(had.seq, head.seq), visibleFromSeq - 1),
        cseq: Math.min(had.cseq, head.cseq),
      }
      starts.set(roomId, start)
      missed += Math.max(0, head.seq - start.seq) + head.cseq - start.cseq
    }
    if (missed > MAX_MISSED) return undefined
    const listed = new Set([...cursor.rooms.keys(), ...recent.keys(), ...joined])
    return { memberships, starts, since: cursor.since, reset: null, joined, listed }
  }

  #heads(roomIds: readonly number[]): Map<number, RoomPosition> {
    return new Map(
      roomIds.map((roomId) => [roomId, this.#feeds.get(roomId)?.position ?? { seq: 0, cseq: 0 }]),
    )
  }

  /**
   * Where the stream is before everything made since then, in each room that has such.
   *
   * @param heads read before: what came after them is beyond the start in any case
   */
  async #recent(
    roomIds: readonly number[],
    since: UnixMs,
    heads: ReadonlyMap<number, RoomPosition>,
  ): Promise<Map<number, RoomPosition> | undefined> {
    if (roomIds.length === 0) return new Map()
    const { repository } = this.#messages
    const at = new Date(since)
    const [messages, changes] = await Promise.all([
      repository.messages.firstSince(roomIds, at, MAX_MISSED + 1),
      repository.changes.firstSince(roomIds, at, MAX_MISSED + 1),
    ])
    if (!messages || !changes) return undefined
    const start = (first: number | undefined, head: number) => (first === undefined ? head : first - 1)
    return new Map(
      [...new Set([...messages.keys(), ...changes.keys()])].map((roomId) => {
        const { seq, cseq } = heads.get(roomId)!
        return [roomId, { seq: start(messages.get(roomId), seq), cseq: start(changes.get(roomId), cseq) }]
      }),
    )
  }

  /** Sends the first frame and everything missed, and joins the stream to its rooms. */
  async run(connection: StreamConnection, plan: Plan): Promise<void> {
    const { memberships, starts, listed, since, reset } = plan
    connection.begin(since)
    const claims = new Map(memberships.map(({ roomId }) => [roomId, connection.claim(roomId)]))
    const at = Date.now()
    for (const { roomId } of memberships) {
      if (listed.has(roomId)) connection.setProgress(roomId, { ...starts.get(roomId)!, at })
    }
    const rooms = memberships.map(({ roomId }) => ({ room_id: roomId, ...starts.get(roomId)! }))
    if (reset) connection.sendWithCursor('reset', { stream_id: connection.id, reason: reset, rooms })
    else connection.sendWithCursor('ready', { stream_id: connection.id, rooms })
    for (const roomId of plan.joined) {
      connection.sendWithCursor('room_added', { room_id: roomId, ...starts.get(roomId)! })
    }
    if (!reset) await this.#sendStates(connection, memberships, since)
    for (const membership of memberships) {
      const claim = claims.get(membership.roomId)
      if (claim) await this.attach(connection, membership, starts.get(membership.roomId)!, claim)
    }
  }

  /** Replays what the room has beyond the start, and joins the stream to the feed where they meet. */
  async attach(
    connection: StreamConnection,
    membership: Membership,
    start: RoomPosition,
    claim: symbol,
  ): Promise<void> {
    const { roomId, userId } = membership
    let position = start
    // Most of it at the reader's pace, while the room goes on for everybody else.
    for (let page = 0; page < MAX_PAGES && connection.holds(roomId, claim); page++) {
      const feed = await this.#feedOf(roomId)
      if (!isBehind(position, feed.position)) break
      position = await this.#replay(connection, membership, position, claim)
      await connection.drained()
    }
    while (connection.holds(roomId, claim)) {
      const feed = await this.#feedOf(roomId)
      const joined = await feed.exclusively(async () => {
        if (isBehind(feed.position, position)) await feed.fetch()
        while (isBehind(position, feed.position)) {
          if (!connection.holds(roomId, claim)) return true
          position = await this.#replay(connection, membership, position, claim, feed.position)
        }
        // Somebody removed meanwhile must not be joined to the room again.
        const current = await this.#members.find(roomId, userId)
        if (!current || !connection.holds(roomId, claim)) return true
        if (this.#feeds.get(roomId) !== feed) return false
        feed.attach(connection, current.visibleFromSeq)
        return true
      })
      if (joined) return
    }
  }

  async #feedOf(roomId: number): Promise<RoomFeed> {
    for (;;) {
      const feed = this.#feeds.get(roomId)
      if (feed) return feed
      await this.#feeds.open([roomId])
    }
  }

  /** One page of what is beyond the start; returns how far it got. */
  async #replay(
    connection: StreamConnection,
    { roomId, userId, visibleFromSeq }: Membership,
    start: RoomPosition,
    claim: symbol,
    upTo?: RoomPosition,
  ): Promise<RoomPosition> {
    const page = await readRoom(this.#messages, roomId, start)
    const messages = page.messages.filter(({ seq }) => !upTo || seq <= upTo.seq)
    const changes = page.changes.filter(({ cseq }) => !upTo || cseq <= upTo.cseq)
    const records = [...messages, ...changes.map(({ message }) => message)]
    const personal = await this.#personal(records, userId)
    if (!connection.holds(roomId, claim)) return start
    const position = { ...start }
    for (const [index, { seq, createdAt }] of messages.entries()) {
      position.seq = seq
      const block = frame('message', { room_id: roomId, seq, message: personal[index]! })
      connection.deliver(roomId, { ...position, at: createdAt }, seq >= visibleFromSeq ? block : null)
    }
    for (const [index, { cseq, kind, at, message }] of changes.entries()) {
      position.cseq = cseq
      const view = personal[messages.length + index]!
      const block = frame('message_updated', { room_id: roomId, cseq, change: kind, message: view })
      connection.deliver(roomId, { ...position, at }, message.seq >= visibleFromSeq ? block : null)
    }
    // The store has nothing more than this, whatever the feed believes.
    return records.length === 0 && upTo ? { ...upTo } : position
  }

  async #personal(records: readonly MessageRecord[], userId: number): Promise<Message[]> {
    const ids = records.map(({ messageId }) => messageId)
    const [views, hidden] = await Promise.all([
      this.#messages.views.shared(records),
      this.#messages.repository.hiddenBy(userId, ids),
    ])
    return records.map((record, index) =>
      hidden.has(record.messageId)
        ? hiddenMessage(views[index]!)
        : personalView(views[index]!, record, userId),
    )
  }

  /** What is no entry of a log: said again when it may have been missed, since saying it twice is harmless. */
  async #sendStates(
    connection: StreamConnection,
    memberships: readonly Membership[],
    since: UnixMs,
  ): Promise<void> {
    const { positions, repository } = this.#messages
    const from = new Date(since - STATES_MARGIN_MS)
    const roomIds = memberships.map(({ roomId }) => roomId)
    const moved = roomIds.length > 0 ? await positions.movedSince(roomIds, from, MAX_STATES) : []
    const byRoom = new Map<number, { user_id: number; seq: number }[]>()
    for (const { roomId, userId, seq } of moved) {
      byRoom.set(roomId, [...(byRoom.get(roomId) ?? []), { user_id: userId, seq }])
    }
    for (const [room_id, each] of byRoom) connection.sendFrame('read', { room_id, positions: each })
    for (const message_id of await repository.hiddenSince(connection.userId, from, MAX_STATES)) {
      connection.sendFrame('message_hidden', { room_id: roomOf(message_id), message_id })
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

/** Whether a position lacks anything of another one. */
function isBehind(position: RoomPosition, other: RoomPosition): boolean {
  return position.seq < other.seq || position.cseq < other.cseq
}

import type { Message } from '@bigtech/contracts'
import { continueTrace, type Service } from '@bigtech/service-kit'
import type { MembershipReader } from '../membership/membership.ports.ts'
import type { RoomPosition } from '../messages/log/room-heads.repository.ts'
import type { MessageRecord, UnixMs } from '../messages/message.ts'
import { personalView } from '../messages/reading/message.view.ts'
import type { AppliedChange, RoomUpdate } from '../messages/room-updates.ts'
import type { LogName, StreamSource } from '../messages/stream-source.ts'
import { frame } from './frames.ts'
import type { RoomSubscription } from './room-subscription.ts'

const READ_WINDOW_MS = 150

export interface RoomChannelOptions {
  readonly messages: StreamSource
  readonly members: Pick<MembershipReader, 'pendingChange'>
  readonly log: Service['log']
  /** Called for each message that was queued on the streams of this process. @param createdAt when it was accepted */
  readonly onDelivered: (createdAt: UnixMs) => void
}

/**
 * One room on this process: orders received updates, reads missing entries from the logs, and delivers to the
 * subscribed streams.
 */
export class RoomChannel {
  readonly roomId: number
  /** The time the last subscription ended; null while there is one. */
  idleSince: UnixMs | null = Date.now()
  readonly #messages: StreamSource
  readonly #members: RoomChannelOptions['members']
  readonly #log: Service['log']
  readonly #onDelivered: (createdAt: UnixMs) => void
  readonly #subscriptions = new Set<RoomSubscription>()
  readonly #reads = new Map<number, number>()
  #readTimer: NodeJS.Timeout | undefined
  #seq: number
  #cseq: number
  /** Creation time of the newest entry; unknown for entries older than this channel. */
  #lastAt = Date.now()
  #hasDelivered = false
  #tail: Promise<void> = Promise.resolve()

  constructor(roomId: number, start: RoomPosition, options: RoomChannelOptions) {
    const { messages, members, log, onDelivered } = options
    this.roomId = roomId
    this.#seq = start.seq
    this.#cseq = start.cseq
    this.#messages = messages
    this.#members = members
    this.#log = log
    this.#onDelivered = onDelivered
  }

  /** The position up to which every attached stream has been served. */
  get position(): RoomPosition {
    return { seq: this.#seq, cseq: this.#cseq }
  }

  /** Returns whether an entry up to the position may have been created since then. */
  mayHaveSince(since: UnixMs): boolean {
    return this.#lastAt >= since
  }

  /** Returns whether entries created since then are known; false also when unknown. */
  hasDeliveredSince(since: UnixMs): boolean {
    return this.#hasDelivered && this.#lastAt >= since
  }

  /** Attaches a subscription that has received everything up to the position. */
  attach(subscription: RoomSubscription, visibleFromSeq: number): void {
    this.#subscriptions.add(subscription)
    subscription.attachedTo(this, visibleFromSeq)
    this.idleSince = null
  }

  remove(subscription: RoomSubscription): void {
    if (this.#subscriptions.delete(subscription) && this.#subscriptions.size === 0)
      this.idleSince = Date.now()
  }

  /** Sends a frame to every subscriber except one user. */
  broadcast(block: Buffer, exceptUserId?: number): void {
    this.#toMembers(({ userId, session }) => {
      if (userId !== exceptUserId) session.send(block)
    })
  }

  /** Sends a frame to one user's streams. */
  sendTo(userId: number, block: Buffer): void {
    this.#toMembers((subscription) => {
      if (subscription.userId === userId) subscription.session.send(block)
    })
  }

  #toMembers(send: (subscription: RoomSubscription) => void): void {
    const change = this.#members.pendingChange(this.roomId)
    if (change) void change.then(() => this.#subscriptions.forEach(send))
    else this.#subscriptions.forEach(send)
  }

  /** Applies an update, which may be a duplicate, late, or ahead of a lost one. */
  apply(update: RoomUpdate): void {
    if (update.reads) this.#gatherReads(update.reads)
    const { messages = [], changes = [] } = update
    if (messages.length === 0 && changes.length === 0) return
    void this.exclusively(async () => {
      const next = messages.filter(({ seq }) => seq > this.#seq)
      const nextChanges = changes.filter(({ cseq }) => cseq > this.#cseq)
      if (next.length === 0 && nextChanges.length === 0) return
      if (this.#followsOn(next, nextChanges)) await this.#deliver(next, nextChanges, false)
      else await this.fetch()
    }).catch((err: unknown) => {
      // The position has not moved, so the next update or sweep reads the missing entries.
      this.#log.debug({ err, room_id: this.roomId }, 'room channel delivery failed, retrying')
    })
  }

  /** Delivers all log entries after the position. Rejects when they cannot be read. */
  catchUp(): Promise<void> {
    return this.exclusively(() => this.fetch())
  }

  /**
   * Like `catchUp`, unless the channel has moved on by itself in these logs: then no update was lost, and the entries that are read
   * here would arrive by updates that wait behind.
   */
  catchUpFrom(position: RoomPosition, logs: readonly LogName[]): Promise<void> {
    return this.exclusively(async () => {
      if (logs.some((log) => this.position[log] <= position[log])) await this.fetch()
    })
  }

  close(): void {
    clearTimeout(this.#readTimer)
  }

  #followsOn(messages: readonly MessageRecord[], changes: readonly AppliedChange[]): boolean {
    return (
      messages.every(({ seq }, index) => seq === this.#seq + 1 + index) &&
      changes.every(({ cseq }, index) => cseq === this.#cseq + 1 + index) &&
      // A change of a message not yet delivered: its update was lost.
      changes.every(({ message }) => message.seq <= this.#seq + messages.length)
    )
  }

  /** Runs one task at a time; no other task moves the position in the meantime. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#tail.then(work)
    this.#tail = turn.then(
      () => undefined,
      () => undefined,
    )
    return turn
  }

  /** Like `catchUp`, from within `exclusively`. Ends at the head of the log even while a busy room grows faster than it is read. */
  async fetch(): Promise<void> {
    let head: RoomPosition | undefined
    do {
      const { messages, changes, complete } = await this.#messages.pageAfter(this.roomId, this.position)
      await this.#deliver(messages, changes, true)
      if (complete) return
      head ??= (await this.#messages.headsOf([this.roomId])).get(this.roomId)!
    } while (isBehind(this.position, head))
  }

  /** @param stored read from the logs, so members may already have hidden some of the messages */
  async #deliver(
    messages: readonly MessageRecord[],
    changes: readonly AppliedChange[],
    stored: boolean,
  ): Promise<void> {
    this.#hasDelivered ||= messages.length > 0 || changes.length > 0
    if (this.#subscriptions.size === 0) {
      this.#lastAt = Math.max(this.#lastAt, messages.at(-1)?.createdAt ?? 0, changes.at(-1)?.at ?? 0)
      this.#seq = messages.at(-1)?.seq ?? this.#seq
      this.#cseq = changes.at(-1)?.cseq ?? this.#cseq
      return
    }
    const changed = changes.map(({ message }) => message)
    const records = [...messages, ...changed]
    // Nobody can have hidden a message that was just sent, but possibly the one it replies to.
    const hideable = [
      ...(stored ? records : changed).map(({ messageId }) => messageId),
      ...records.flatMap(({ replyTo }) => replyTo ?? []),
    ]
    const [views, hidden] = await Promise.all([
      this.#messages.sharedViews(records),
      this.#messages.hiddenFrom(hideable),
    ])
    // These entries may be newer than a removal whose member is still subscribed.
    await this.#members.pendingChange(this.roomId)
    for (const [index, record] of messages.entries()) {
      this.#seq = record.seq
      this.#lastAt = Math.max(this.#lastAt, record.createdAt)
      continueTrace(record.trace, 'frame message', { 'chat.room_id': this.roomId }, () =>
        this.#give(record, record.createdAt, views[index]!, hidden, (message) =>
          frame('message', { room_id: this.roomId, seq: record.seq, message }),
        ),
      )
      this.#onDelivered(record.createdAt)
    }
    for (const [index, { cseq, kind, at, message: record }] of changes.entries()) {
      this.#cseq = cseq
      this.#lastAt = Math.max(this.#lastAt, at)
      this.#give(record, at, views[messages.length + index]!, hidden, (message) =>
        frame('message_updated', { room_id: this.roomId, cseq, change: kind, message }),
      )
    }
  }

  /** Delivers one entry: the shared frame, or a personal frame to members who reacted to or hid the message. */
  #give(
    record: MessageRecord,
    at: UnixMs,
    view: Message,
    hidden: ReadonlyMap<string, readonly number[]>,
    toBlock: (message: Message) => Buffer,
  ): void {
    const progress = { seq: this.#seq, cseq: this.#cseq, at }
    const hides = (messageId: string, userId: number) => hidden.get(messageId)?.includes(userId) ?? false
    // Most messages look the same to every member.
    const isShared =
      record.reactions.length === 0 && view.reply_preview === null && !hidden.has(record.messageId)
    let shared: Buffer | undefined
    for (const subscription of this.#subscriptions) {
      let block: Buffer | null = null
      if (subscription.sees(record.seq)) {
        if (isShared) {
          shared ??= toBlock(view)
          subscription.deliver(progress, shared)
          continue
        }
        const { userId } = subscription
        const mine = personalView(view, record, {
          userId,
          sees: (seq) => subscription.sees(seq),
          hides: (messageId) => hides(messageId, userId),
        })
        if (mine === view) block = shared ??= toBlock(view)
        else block = toBlock(mine)
      }
      subscription.deliver(progress, block)
    }
  }

  #gatherReads(reads: NonNullable<RoomUpdate['reads']>): void {
    for (const { userId, seq } of reads) {
      this.#messages.noteRead({ roomId: this.roomId, userId, seq })
      this.#reads.set(userId, Math.max(this.#reads.get(userId) ?? 0, seq))
    }
    this.#readTimer ??= setTimeout(() => {
      this.#readTimer = undefined
      const positions = [...this.#reads].map(([user_id, seq]) => ({ user_id, seq }))
      this.#reads.clear()
      this.broadcast(frame('read', { room_id: this.roomId, positions }))
    }, READ_WINDOW_MS)
  }
}

/** Returns whether a position lacks an entry that the other includes. */
export function isBehind(position: RoomPosition, other: RoomPosition): boolean {
  return position.seq < other.seq || position.cseq < other.cseq
}

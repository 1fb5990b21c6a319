import { hiddenMessage, type Message } from '@bigtech/contracts'
import { continueTrace, type Service } from '@bigtech/service-kit'
import type { MessageRecord, UnixMs } from '../messages/message.ts'
import { personalView } from '../messages/message.view.ts'
import type { MessagesForStreams } from '../messages/messages.module.ts'
import type { RoomPosition } from '../messages/room-positions.ts'
import type { AppliedChange, RoomUpdate } from '../messages/room-updates.ts'
import type { StreamConnection } from './connection.ts'
import { frame } from './frames.ts'
import { readRoom } from './room-reader.ts'

interface Audience {
  visibleFromSeq: number
  readonly connections: Set<StreamConnection>
}

const READ_WINDOW_MS = 150

/**
 * One room on this process: takes what is said to have happened, puts it in order, fetches what is
 * missing, and gives it to the streams of the members who are connected here.
 */
export class RoomFeed {
  readonly roomId: number
  idleSince: number | null = Date.now()
  readonly #messages: MessagesForStreams
  readonly #log: Service['log']
  readonly #audience = new Map<number, Audience>()
  readonly #reads = new Map<number, number>()
  #readTimer: NodeJS.Timeout | undefined
  #seq: number
  #cseq: number
  /** When the newest entry was made; not known for those from before this feed was opened. */
  #lastAt = Date.now()
  #tail: Promise<void> = Promise.resolve()

  constructor(roomId: number, start: RoomPosition, messages: MessagesForStreams, log: Service['log']) {
    this.roomId = roomId
    this.#seq = start.seq
    this.#cseq = start.cseq
    this.#messages = messages
    this.#log = log
  }

  /** What every stream that is attached has had. */
  get position(): RoomPosition {
    return { seq: this.#seq, cseq: this.#cseq }
  }

  /** Whether an entry up to the position may have been made since then. */
  mayHaveSince(since: UnixMs): boolean {
    return this.#lastAt >= since
  }

  attach(connection: StreamConnection, visibleFromSeq: number): void {
    const audience = this.#audience.get(connection.userId)
    if (audience) {
      audience.visibleFromSeq = visibleFromSeq
      audience.connections.add(connection)
    } else this.#audience.set(connection.userId, { visibleFromSeq, connections: new Set([connection]) })
    this.idleSince = null
  }

  detach(connection: StreamConnection): void {
    const audience = this.#audience.get(connection.userId)
    if (!audience) return
    audience.connections.delete(connection)
    if (audience.connections.size === 0) this.#audience.delete(connection.userId)
    if (this.#audience.size === 0) this.idleSince = Date.now()
  }

  connectionsOf(userId: number): readonly StreamConnection[] {
    return [...(this.#audience.get(userId)?.connections ?? [])]
  }

  /** To everybody attached, except one person. */
  broadcast(block: Buffer, exceptUserId?: number): void {
    for (const [userId, { connections }] of this.#audience) {
      if (userId === exceptUserId) continue
      for (const connection of connections) connection.send(block)
    }
  }

  /** What somebody says has happened. It may come twice, late, or with something missing before it. */
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
      // The position stays where it was, so the next update or sweep fetches what is missing.
      this.#log.debug({ err, room_id: this.roomId }, 'feed could not go on')
    })
  }

  /** Delivers everything that the store has beyond the position. Rejects when it cannot be read. */
  catchUp(): Promise<void> {
    return this.exclusively(() => this.fetch())
  }

  close(): void {
    clearTimeout(this.#readTimer)
  }

  #followsOn(messages: readonly MessageRecord[], changes: readonly AppliedChange[]): boolean {
    return (
      messages.every(({ seq }, index) => seq === this.#seq + 1 + index) &&
      changes.every(({ cseq }, index) => cseq === this.#cseq + 1 + index) &&
      // A change of a message that has not been delivered: the message was lost on the way.
      changes.every(({ message }) => message.seq <= this.#seq + messages.length)
    )
  }

  /** One after the other, while the position stands still for everything else. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#tail.then(work)
    this.#tail = turn.then(
      () => undefined,
      () => undefined,
    )
    return turn
  }

  /** As `catchUp`, for whoever has the turn. */
  async fetch(): Promise<void> {
    for (;;) {
      const { messages, changes, complete } = await readRoom(this.#messages, this.roomId, this.position)
      await this.#deliver(messages, changes, true)
      if (complete) return
    }
  }

  async #deliver(
    messages: readonly MessageRecord[],
    changes: readonly AppliedChange[],
    stored: boolean,
  ): Promise<void> {
    if (this.#audience.size === 0) {
      this.#lastAt = Math.max(this.#lastAt, messages.at(-1)?.createdAt ?? 0, changes.at(-1)?.at ?? 0)
      this.#seq = messages.at(-1)?.seq ?? this.#seq
      this.#cseq = changes.at(-1)?.cseq ?? this.#cseq
      return
    }
    const records = [...messages, ...changes.map(({ message }) => message)]
    // Just sent: nobody can have hidden it yet.
    const touched = (stored ? records : changes.map(({ message }) => message)).map(
      ({ messageId }) => messageId,
    )
    const [views, hidden] = await Promise.all([
      this.#messages.views.shared(records),
      touched.length > 0 ? this.#messages.repository.hiddenFrom(touched) : new Map<string, number[]>(),
    ])
    for (const [index, record] of messages.entries()) {
      this.#seq = record.seq
      continueTrace(record.trace, 'frame message', { 'chat.room_id': this.roomId }, () =>
        this.#give(record, record.createdAt, views[index]!, hidden, (message) =>
          frame('message', { room_id: this.roomId, seq: record.seq, message }),
        ),
      )
    }
    for (const [index, { cseq, kind, at, message: record }] of changes.entries()) {
      this.#cseq = cseq
      this.#lastAt = Math.max(this.#lastAt, at)
      this.#give(record, at, views[messages.length + index]!, hidden, (message) =>
        frame('message_updated', { room_id: this.roomId, cseq, change: kind, message }),
      )
    }
  }

  #give(
    record: MessageRecord,
    at: number,
    view: Message,
    hidden: ReadonlyMap<string, readonly number[]>,
    toBlock: (message: Message) => Buffer,
  ): void {
    const progress = { seq: this.#seq, cseq: this.#cseq, at }
    const hiders = hidden.get(record.messageId)
    let shared: Buffer | undefined
    for (const [userId, { visibleFromSeq, connections }] of this.#audience) {
      let block: Buffer | null = null
      if (record.seq >= visibleFromSeq) {
        const mine = hiders?.includes(userId) ? hiddenMessage(view) : personalView(view, record, userId)
        if (mine === view) block = shared ??= toBlock(view)
        else block = toBlock(mine)
      }
      for (const connection of connections) connection.deliver(this.roomId, progress, block)
    }
  }

  #gatherReads(reads: NonNullable<RoomUpdate['reads']>): void {
    for (const { userId, seq } of reads) {
      this.#messages.reads.heard({ roomId: this.roomId, userId, seq })
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

import type { StreamFrameData, StreamFrameName } from '@bigtech/contracts'
import type { ListVersions } from '../contacts/prisma-list-versions.ts'
import type { UnixMs } from '../messages/message.ts'
import { frame } from './frames.ts'
import type { RoomSubscription } from './room-subscription.ts'
import { type RoomProgress, StreamCursor } from './stream-cursor.ts'
import type { OutputOwner, StreamConnection, StreamOutput } from './stream-output.ts'

/**
 * - `opening`: admitted, no response yet. Frames are queued.
 * - `catching_up`: the first frame is sent; rooms are replayed up to their channels. Frames pass; membership
 * changes are
 *   queued.
 * - `live`: every room is attached to its channel.
 * - `closed`: final.
 */
export type SessionState = 'opening' | 'catching_up' | 'live' | 'closed'

/** Reasons for which the server ends a stream. */
export const cutReasons = [
  'slow_reader',
  'unresponsive',
  'replaced',
  'session_revoked',
  'shutdown',
  'failed',
] as const

export type CloseReason = 'client_gone' | (typeof cutReasons)[number]

export interface StreamSessionOptions {
  readonly id: string
  readonly userId: number
  /** The session (sign-in) that the stream belongs to. */
  readonly loginId: string
  /** Whether the client has opted into acknowledgements. */
  readonly acknowledges: boolean
  readonly output: StreamOutput
  readonly host: StreamHost
}

/** What the streams of a process share. */
export interface StreamHost {
  readonly lastSweep: LastSweep
  onFrame(): void
  /** Called when data could not be sent immediately. */
  onUnsent(session: StreamSession): void
  /** Called once for each stream. */
  onClosed(session: StreamSession, reason: CloseReason): void
}

/** The last complete sweep: streams that were live when it began have received every entry created before `verifiedBefore`. */
export interface LastSweep {
  startedAt: UnixMs
  verifiedBefore: UnixMs
}

/** A client's open stream: its state, its rooms, and its delivered position. */
export class StreamSession implements OutputOwner {
  readonly id: string
  readonly userId: number
  readonly loginId: string
  readonly cursor = new StreamCursor()
  /** Set by the rounds of heartbeats. */
  round = 0
  /** Whether the client has opted into acknowledgements. */
  readonly acknowledges: boolean
  readonly #output: StreamOutput
  readonly #host: StreamHost
  readonly #subscriptions = new Map<number, RoomSubscription>()
  /** Rooms that the user left between the reading of the memberships and the first frame. */
  #leftWhileOpening: Set<number> | undefined
  #state: SessionState = 'opening'
  #closeReason: CloseReason | undefined
  #liveSince: UnixMs = Number.POSITIVE_INFINITY
  #acknowledgedAt: UnixMs = Date.now()
  /** Frames that arrived before the first one. */
  #held: Buffer[] = []
  /** Membership changes that arrived before the stream was live, in order. */
  #waiting: (() => void)[] = []

  constructor(options: StreamSessionOptions) {
    this.id = options.id
    this.userId = options.userId
    this.loginId = options.loginId
    this.acknowledges = options.acknowledges
    this.#output = options.output
    this.#host = options.host
  }

  get state(): SessionState {
    return this.#state
  }

  get closeReason(): CloseReason | undefined {
    return this.#closeReason
  }

  /** Sets the connection, before `open`. @param head of the HTTP response */
  attach(connection: StreamConnection, head: Buffer): void {
    this.#output.attach(connection, head, this)
  }

  /** Transition opening -> catching_up. Sends the first frame, then the queued frames. */
  open(
    first: { event: 'ready'; rooms: Heads } | { event: 'reset'; rooms: Heads; reason: ResetReason },
  ): void {
    if (this.#state !== 'opening') return
    this.#state = 'catching_up'
    const { rooms } = first
    if (first.event === 'ready') this.sendWithCursor('ready', { stream_id: this.id, rooms })
    else this.sendWithCursor('reset', { stream_id: this.id, reason: first.reason, rooms })
    for (const block of this.#held.splice(0)) this.send(block)
  }

  /** Transition catching_up -> live. Applies the queued membership changes. */
  goLive(): void {
    if (this.#state !== 'catching_up') return
    this.#state = 'live'
    this.#liveSince = Date.now()
    this.#leftWhileOpening = undefined
    for (const step of this.#waiting.splice(0)) step()
  }

  /** Applies a membership change now, or when the stream is live. */
  whenLive(step: () => void): void {
    if (this.#state === 'live') step()
    else if (this.#state !== 'closed') this.#waiting.push(step)
  }

  /** Subscribes to a room. Returns false when already subscribed or not allowed. */
  subscribe(subscription: RoomSubscription): boolean {
    const { roomId } = subscription
    if (this.#state === 'closed' || this.#subscriptions.has(roomId)) return false
    if (this.#leftWhileOpening?.has(roomId)) {
      subscription.end()
      return false
    }
    this.#subscriptions.set(roomId, subscription)
    return true
  }

  /** Ends the subscription of a room immediately. Returns false when the client knows that it has none. */
  unsubscribe(roomId: number): boolean {
    if (this.#state === 'opening') {
      this.#leftWhileOpening ??= new Set()
      const first = !this.#leftWhileOpening.has(roomId)
      this.#leftWhileOpening.add(roomId)
      return first
    }
    const subscription = this.#subscriptions.get(roomId)
    if (!subscription) return false
    subscription.end()
    this.#subscriptions.delete(roomId)
    this.cursor.forget(roomId)
    return true
  }

  /** Delivers a log entry: the frame and the cursor that includes it form one SSE block. */
  deliver(roomId: number, progress: Readonly<RoomProgress>, block: Buffer | null): void {
    this.cursor.move(roomId, progress)
    if (block) this.#pushWithCursor(block)
  }

  /** Sends a frame that is no log entry: a client cannot resume from it. */
  send(block: Buffer): void {
    if (this.#state === 'opening') this.#held.push(block)
    else this.#push(block)
  }

  sendFrame<Name extends StreamFrameName>(event: Name, data: StreamFrameData<Name>): void {
    this.send(frame(event, data))
  }

  /** Sends a frame with the current cursor. Only after `open`. */
  sendWithCursor<Name extends StreamFrameName>(event: Name, data: StreamFrameData<Name>): void {
    this.#pushWithCursor(frame(event, data))
  }

  /** @param quiet the frame without heads, shared by all streams without active rooms */
  sendHeartbeat(at: string, quiet: Buffer): void {
    if (this.#state === 'opening') return
    this.#advance()
    const { heads } = this.cursor
    this.#pushWithCursor(heads.length === 0 ? quiet : frame('heartbeat', { at, heads }))
  }

  /** Announces the lists that have changed since the last announcement. */
  tellListChanges(now: ListVersions): void {
    const told = this.cursor.lists
    if (now.friends === told.friends && now.rooms === told.rooms) return
    if (this.#state === 'opening' || this.#state === 'closed') return
    const lists = (['friends', 'rooms'] as const).filter((list) => now[list] !== told[list])
    this.cursor.lists = now
    this.sendWithCursor('lists_changed', { lists })
  }

  acknowledge(): void {
    this.#acknowledgedAt = Date.now()
  }

  /**
   * Returns for how many milliseconds the client has not acknowledged. Only an acknowledgement shows that it is there: the kernel or a
   * proxy accepts heartbeats for a lost client.
   *
   * @param acksWorkSince when the path of acknowledgements was restored
   */
  unacknowledgedMs(now: UnixMs, acksWorkSince: UnixMs): number {
    return now - Math.max(this.#acknowledgedAt, acksWorkSince)
  }

  /** Returns for how many milliseconds the connection has been blocked; 0 when all data is sent. */
  stalledMs(now: UnixMs): number {
    return this.#output.stalledMs(now)
  }

  hasUnsent(): void {
    this.#host.onUnsent(this)
  }

  isTooSlow(): void {
    this.close('slow_reader')
  }

  /** Resolves when the reader has received most of the sent data. */
  drained(): Promise<void> {
    return this.#output.drained()
  }

  /**
   * Transition from any state to closed. Without a response so far, the route sends the error.
   *
   * @param last final frame for a client that still reads
   */
  close(reason: CloseReason, last?: { event: 'reconnect'; data: StreamFrameData<'reconnect'> }): void {
    if (this.#state === 'closed') return
    const hasResponded = this.#state !== 'opening'
    if (hasResponded && last) this.sendFrame(last.event, last.data)
    this.#state = 'closed'
    this.#closeReason = reason
    this.#held = []
    this.#waiting = []
    for (const subscription of this.#subscriptions.values()) subscription.end()
    this.#subscriptions.clear()
    if (!hasResponded || reason === 'client_gone') this.#output.discard()
    else if (isOrderly(reason)) this.#output.end()
    else this.#output.destroy()
    this.#host.onClosed(this, reason)
  }

  #advance(): void {
    const { startedAt, verifiedBefore } = this.#host.lastSweep
    if (startedAt > this.#liveSince) this.cursor.advance(verifiedBefore)
  }

  #pushWithCursor(block: Buffer): void {
    this.#advance()
    this.#push(this.cursor.stamp(block))
  }

  #push(block: Buffer): void {
    if (this.#state === 'closed') return
    this.#output.push(block)
    this.#host.onFrame()
  }
}

type Heads = StreamFrameData<'ready'>['rooms']
type ResetReason = StreamFrameData<'reset'>['reason']

/** Returns whether the client still reads, so that pending data is useful to it. */
function isOrderly(reason: CloseReason): boolean {
  return reason === 'replaced' || reason === 'session_revoked' || reason === 'shutdown'
}

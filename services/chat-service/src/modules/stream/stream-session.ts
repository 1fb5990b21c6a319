import type { StreamFrameData, StreamFrameName } from '@bigtech/contracts'
import type { ListVersions } from '../contacts/prisma-list-versions.ts'
import type { UnixMs } from '../messages/message.ts'
import { frame } from './frames.ts'
import type { RoomSubscription } from './room-subscription.ts'
import { type RoomProgress, StreamCursor } from './stream-cursor.ts'
import type { StreamOutput } from './stream-output.ts'

/**
 * - `opening`: admitted, not answered yet. Frames wait.
 * - `catching_up`: the first frame is out; the rooms are replayed up to where their channels are. Frames pass,
 *   changes of memberships wait.
 * - `live`: every room is attached to its channel.
 * - `closed`: for good.
 */
export type SessionState = 'opening' | 'catching_up' | 'live' | 'closed'

export type CloseReason =
  | 'client_gone'
  | 'slow_reader'
  | 'unresponsive'
  | 'replaced'
  | 'session_revoked'
  | 'shutdown'
  | 'failed'

export interface StreamSessionOptions {
  readonly id: string
  readonly userId: number
  /** The login that the stream belongs to. */
  readonly loginId: string
  /** Whether the client has announced that it acknowledges what it reads. */
  readonly acknowledges: boolean
  readonly output: StreamOutput
  readonly onFrame: () => void
  /** Called once. */
  readonly onClosed: (session: StreamSession, reason: CloseReason) => void
}

/** One client's open stream: its state, its rooms, and what its client has been sent. */
export class StreamSession {
  readonly id: string
  readonly userId: number
  readonly loginId: string
  readonly cursor = new StreamCursor()
  readonly #options: StreamSessionOptions
  readonly #subscriptions = new Map<number, RoomSubscription>()
  /** Rooms that the user left between the reading of the memberships and the first frame. */
  readonly #leftWhileOpening = new Set<number>()
  #state: SessionState = 'opening'
  #closeReason: CloseReason | undefined
  #liveSince: UnixMs | undefined
  #acknowledgedAt: UnixMs = Date.now()
  /** Frames that arrived before the first one. */
  #held: Buffer[] = []
  /** Changes of memberships that arrived before the stream was live, in order. */
  #waiting: (() => void)[] = []

  constructor(options: StreamSessionOptions) {
    this.#options = options
    this.id = options.id
    this.userId = options.userId
    this.loginId = options.loginId
  }

  get state(): SessionState {
    return this.#state
  }

  get closeReason(): CloseReason | undefined {
    return this.#closeReason
  }

  /** Whether the stream has been live from that moment on. */
  wasLiveAt(at: UnixMs): boolean {
    return this.#state === 'live' && this.#liveSince! < at
  }

  /** opening -> catching_up. Sends the first frame, then what arrived before it. */
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

  /** catching_up -> live. Applies the changes of memberships that waited. */
  goLive(): void {
    if (this.#state !== 'catching_up') return
    this.#state = 'live'
    this.#liveSince = Date.now()
    this.#leftWhileOpening.clear()
    for (const step of this.#waiting.splice(0)) step()
  }

  /** Applies a change of memberships now, or when the stream is live. */
  whenLive(step: () => void): void {
    if (this.#state === 'live') step()
    else if (this.#state !== 'closed') this.#waiting.push(step)
  }

  /** Returns false when the stream is subscribed to the room already, or may not be. */
  subscribe(subscription: RoomSubscription): boolean {
    const { roomId } = subscription
    if (this.#state === 'closed' || this.#subscriptions.has(roomId)) return false
    if (this.#leftWhileOpening.has(roomId)) {
      subscription.end()
      return false
    }
    this.#subscriptions.set(roomId, subscription)
    return true
  }

  /** Ends the subscription of a room at once. Returns false when the client knows that it has none. */
  unsubscribe(roomId: number): boolean {
    if (this.#state === 'opening') {
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

  /** Delivers an entry of a room's logs: the frame and the cursor that includes it are one SSE block. */
  deliver(roomId: number, progress: Readonly<RoomProgress>, block: Buffer | null): void {
    this.cursor.move(roomId, progress)
    if (block) this.#push(...this.cursor.idLine(), block)
  }

  /** Sends a frame that is not an entry of a log: a client cannot resume from it. */
  send(block: Buffer): void {
    if (this.#state === 'opening') this.#held.push(block)
    else this.#push(block)
  }

  sendFrame<Name extends StreamFrameName>(event: Name, data: StreamFrameData<Name>): void {
    this.send(frame(event, data))
  }

  /** Sends a frame with the present cursor. Only after `open`. */
  sendWithCursor<Name extends StreamFrameName>(event: Name, data: StreamFrameData<Name>): void {
    this.#push(...this.cursor.idLine(), frame(event, data))
  }

  /** Tells the client which lists to fetch again, when they have changed since it was told last. */
  tellListChanges(now: ListVersions): void {
    if (this.#state === 'opening' || this.#state === 'closed') return
    const told = this.cursor.lists
    const lists = (['friends', 'rooms'] as const).filter((list) => now[list] !== told[list])
    if (lists.length === 0) return
    this.cursor.lists = now
    this.sendWithCursor('lists_changed', { lists })
  }

  acknowledge(): void {
    this.#acknowledgedAt = Date.now()
  }

  /**
   * Returns for how many milliseconds nothing has shown that the client is there. Only an acknowledgement
   * shows it: the kernel, or a proxy, takes heartbeats for a client that is long gone. Of clients that do not
   * acknowledge, all that can be seen is that nothing is taken any more.
   *
   * @param acksWorkSince when the way of acknowledgements was restored; undefined while it is interrupted
   */
  silentMs(now: UnixMs, acksWorkSince: UnixMs | undefined): number {
    const { acknowledges, output } = this.#options
    const stalledMs = output.stalledMs(now)
    if (!acknowledges || acksWorkSince === undefined) return stalledMs
    return Math.max(stalledMs, now - Math.max(this.#acknowledgedAt, acksWorkSince))
  }

  /** Resolves when the reader has taken most of what was sent. */
  drained(): Promise<void> {
    return this.#options.output.drained()
  }

  /**
   * Any state -> closed. A stream that has not been answered yet leaves its response to the route.
   *
   * @param last sent before the end, to a client that reads
   */
  close(reason: CloseReason, last?: { event: 'reconnect'; data: StreamFrameData<'reconnect'> }): void {
    if (this.#state === 'closed') return
    const { output, onClosed } = this.#options
    const answered = this.#state !== 'opening'
    if (answered && last) this.sendFrame(last.event, last.data)
    this.#state = 'closed'
    this.#closeReason = reason
    this.#held = []
    this.#waiting = []
    for (const subscription of this.#subscriptions.values()) subscription.end()
    this.#subscriptions.clear()
    if (!answered || reason === 'client_gone') output.discard()
    else if (isOrderly(reason)) output.end()
    else output.destroy()
    onClosed(this, reason)
  }

  #push(...parts: Buffer[]): void {
    if (this.#state === 'closed') return
    this.#options.output.push(...parts)
    this.#options.onFrame()
  }
}

type Heads = StreamFrameData<'ready'>['rooms']
type ResetReason = StreamFrameData<'reset'>['reason']

/** Whether the client still reads, so that what was sent before the end is of use to it. */
function isOrderly(reason: CloseReason): boolean {
  return reason === 'replaced' || reason === 'session_revoked' || reason === 'shutdown'
}

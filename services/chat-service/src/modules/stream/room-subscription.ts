import type { Membership } from '../membership/membership.ports.ts'
import type { RoomProgress } from './stream-cursor.ts'
import type { StreamSession } from './stream-session.ts'

/** The source of entries of an attached subscription. */
interface Channel {
  remove(subscription: RoomSubscription): void
}

/** One room of one stream: first replayed by a task, then attached to the room's channel. */
export class RoomSubscription {
  readonly session: StreamSession
  readonly roomId: number
  #visibleFromSeq: number
  #channel: Channel | undefined
  #ended = false

  constructor(session: StreamSession, { roomId, visibleFromSeq }: Membership) {
    this.session = session
    this.roomId = roomId
    this.#visibleFromSeq = visibleFromSeq
  }

  get userId(): number {
    return this.session.userId
  }

  /** False after the member has left the room or the stream is closed: nothing may be delivered. */
  get active(): boolean {
    return !this.#ended
  }

  /** Returns whether this member may see the message at that position. */
  sees(seq: number): boolean {
    return seq >= this.#visibleFromSeq
  }

  /** @param visibleFromSeq from the current membership, which may have changed during the replay */
  attachedTo(channel: Channel, visibleFromSeq: number): void {
    this.#channel = channel
    this.#visibleFromSeq = visibleFromSeq
  }

  deliver(progress: Readonly<RoomProgress>, block: Buffer | null): void {
    if (!this.#ended) this.session.deliver(this.roomId, progress, block)
  }

  end(): void {
    this.#ended = true
    this.#channel?.remove(this)
    this.#channel = undefined
  }
}

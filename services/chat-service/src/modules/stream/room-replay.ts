import type { MembershipReader } from '../membership/membership.ports.ts'
import type { RoomPosition } from '../messages/log/room-heads.repository.ts'
import type { StreamSource } from '../messages/stream-source.ts'
import { frame } from './frames.ts'
import type { RoomChannels } from './room-channels.ts'
import type { RoomSubscription } from './room-subscription.ts'

/** Pages replayed at the reader's pace before the channel is blocked for the rest. */
const MAX_PAGES = 20

/** Replays a room from a stream's position and attaches the stream to the channel where both meet. */
export class RoomReplay {
  readonly #messages: StreamSource
  readonly #members: MembershipReader
  readonly #channels: RoomChannels

  constructor(messages: StreamSource, members: MembershipReader, channels: RoomChannels) {
    this.#messages = messages
    this.#members = members
    this.#channels = channels
  }

  /** Rejects while the logs cannot be read. Stops without attaching when the subscription ends. */
  async run(subscription: RoomSubscription, start: RoomPosition): Promise<void> {
    const { roomId } = subscription
    let position = start
    for (let page = 0; page < MAX_PAGES && subscription.active; page++) {
      const channel = await this.#channels.require(roomId)
      if (!isBehind(position, channel.position)) break
      position = await this.#replayPage(subscription, position)
      await subscription.session.drained()
    }
    while (subscription.active && !(await this.#attach(subscription, position))) {
      // The channel was closed in the meantime; the next one starts at the head.
    }
  }

  /** Replays the rest while the channel is blocked, and attaches. Returns false when the channel was closed. */
  async #attach(subscription: RoomSubscription, start: RoomPosition): Promise<boolean> {
    const { roomId, userId } = subscription
    const channel = await this.#channels.require(roomId)
    return channel.exclusively(async () => {
      let position = start
      if (isBehind(channel.position, position)) await channel.fetch()
      while (isBehind(position, channel.position)) {
        if (!subscription.active) return true
        position = await this.#replayPage(subscription, position, channel.position)
      }
      // A member removed in the meantime must not be attached again.
      const membership = await this.#members.find(roomId, userId)
      if (!membership || !subscription.active) return true
      if (this.#channels.get(roomId) !== channel) return false
      channel.attach(subscription, membership.visibleFromSeq)
      return true
    })
  }

  /** Delivers one page after the start; returns the new position. */
  async #replayPage(
    subscription: RoomSubscription,
    start: RoomPosition,
    upTo?: RoomPosition,
  ): Promise<RoomPosition> {
    const { roomId } = subscription
    const page = await this.#messages.pageAfter(roomId, start)
    const messages = page.messages.filter(({ seq }) => !upTo || seq <= upTo.seq)
    const changes = page.changes.filter(({ cseq }) => !upTo || cseq <= upTo.cseq)
    const records = [...messages, ...changes.map(({ message }) => message)]
    const views = await this.#messages.viewsFor(subscription, records)
    const position = { ...start }
    for (const [index, { seq, createdAt }] of messages.entries()) {
      position.seq = seq
      const block = frame('message', { room_id: roomId, seq, message: views[index]! })
      subscription.deliver({ ...position, at: createdAt }, subscription.sees(seq) ? block : null)
    }
    for (const [index, { cseq, kind, at, message }] of changes.entries()) {
      position.cseq = cseq
      const view = views[messages.length + index]!
      const block = frame('message_updated', { room_id: roomId, cseq, change: kind, message: view })
      subscription.deliver({ ...position, at }, subscription.sees(message.seq) ? block : null)
    }
    // The logs have no more entries, regardless of the channel's position.
    return records.length === 0 && upTo ? { ...upTo } : position
  }
}

/** Returns whether a position lacks an entry that the other includes. */
function isBehind(position: RoomPosition, other: RoomPosition): boolean {
  return position.seq < other.seq || position.cseq < other.cseq
}

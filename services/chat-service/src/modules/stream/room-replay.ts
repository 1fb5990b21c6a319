import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Message } from '@bigtech/contracts'
import type { MembershipReader } from '../membership/membership.ports.ts'
import type { RoomPosition } from '../messages/log/room-heads.repository.ts'
import type { MessageRecord, UnixMs } from '../messages/message.ts'
import { personalView } from '../messages/reading/message.view.ts'
import type { LogName, StreamSource } from '../messages/stream-source.ts'
import { frame } from './frames.ts'
import { isBehind, type RoomChannel } from './room-channel.ts'
import type { RoomChannels } from './room-channels.ts'
import type { RoomSubscription } from './room-subscription.ts'

/** A joiner waits while another one of the room is further behind by this much: both then read the same pages. */
const PAGE = 200
/** Pages replayed at the reader's pace before the channel is blocked for the rest. */
const MAX_PAGES = 20
/** Fewer missing messages are read together with those of all other streams that are about to be attached. */
const FEW = 200

/** A subscription on its way to the channel. */
interface Joiner {
  readonly subscription: RoomSubscription
  /** The last entry delivered. */
  readonly position: { seq: number; cseq: number }
}

/** A joiner that waits for its next page. */
interface PageRequest {
  readonly joiner: Joiner
  readonly resolve: () => void
  readonly reject: (err: unknown) => void
}

/** One entry of a replayed page. */
interface Entry {
  readonly log: LogName
  /** Its position in the log. */
  readonly at: number
  readonly createdAt: UnixMs
  readonly blockFor: (subscription: RoomSubscription) => Buffer | null
}

/** Joiners that wait for the channel's turn, and whether they could be attached to it. */
interface Waiting {
  readonly joiners: Joiner[]
  readonly attached: Promise<boolean>
}

/** Replays a room from a stream's position and attaches the stream to the channel where both meet. */
export class RoomReplay {
  readonly #messages: StreamSource
  readonly #members: MembershipReader
  readonly #channels: RoomChannels
  /** The pages that joiners of each room wait for. */
  readonly #requests = new Map<number, Set<PageRequest>>()
  readonly #waiting = new WeakMap<RoomChannel, Waiting>()

  constructor(messages: StreamSource, members: MembershipReader, channels: RoomChannels) {
    this.#messages = messages
    this.#members = members
    this.#channels = channels
  }

  /** Rejects while the logs cannot be read. Stops without attaching when the subscription ends. */
  async run(subscription: RoomSubscription, start: RoomPosition): Promise<void> {
    const { roomId } = subscription
    const joiner = { subscription, position: { ...start } }
    for (let page = 0; page < MAX_PAGES && subscription.active; page++) {
      const { position } = await this.#channels.require(roomId)
      if (position.seq - joiner.position.seq <= FEW && position.cseq - joiner.position.cseq <= FEW) break
      await this.#nextPage(joiner)
      await subscription.session.drained()
    }
    while (subscription.active && !(await this.#attach(joiner))) {
      // The channel was closed in the meantime; the next one starts at the head.
    }
  }

  /** Delivers the next page to a joiner. In a reconnect storm, reads of its own for each stream would be slower than the room grows. */
  #nextPage(joiner: Joiner): Promise<void> {
    const { roomId } = joiner.subscription
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const request = { joiner, resolve, reject }
    const requests = this.#requests.get(roomId)
    if (requests) requests.add(request)
    else {
      const first = new Set([request])
      this.#requests.set(roomId, first)
      void this.#deliverPages(roomId, first)
    }
    return promise
  }

  /** Delivers pages, always the oldest one that is missing, until no joiner of the room waits. */
  async #deliverPages(roomId: number, requests: Set<PageRequest>): Promise<void> {
    await nextTurn()
    while (requests.size > 0) {
      const from = leastOf([...requests].map(({ joiner }) => joiner))
      const served = [...requests].filter(({ joiner }) => joiner.position.seq < from.seq + PAGE)
      for (const request of served) requests.delete(request)
      try {
        await this.#replayPage(
          roomId,
          served.map(({ joiner }) => joiner),
          from,
        )
        for (const { resolve } of served) resolve()
      } catch (err) {
        for (const { reject } of served) reject(err)
      }
      // Those that got this page ask for the next one first.
      await nextTurn()
    }
    this.#requests.delete(roomId)
  }

  /**
   * Replays the rest while the channel is blocked, and attaches. Returns false when the channel was closed. Joiners that wait for the
   * same channel share its turn and its reads: in a reconnect storm, one turn for each would block a busy room for many seconds.
   */
  async #attach(joiner: Joiner): Promise<boolean> {
    const channel = await this.#channels.require(joiner.subscription.roomId)
    const waiting = this.#waiting.get(channel)
    if (waiting) {
      waiting.joiners.push(joiner)
      return waiting.attached
    }
    const joiners = [joiner]
    const attached = channel.exclusively(() => {
      this.#waiting.delete(channel)
      return this.#attachAll(channel, joiners)
    })
    this.#waiting.set(channel, { joiners, attached })
    return attached
  }

  async #attachAll(channel: RoomChannel, joiners: readonly Joiner[]): Promise<boolean> {
    const { roomId } = channel
    if (joiners.some(({ position }) => isBehind(channel.position, position))) await channel.fetch()
    for (;;) {
      const behind = joiners.filter(
        ({ subscription, position }) => subscription.active && isBehind(position, channel.position),
      )
      if (behind.length === 0) break
      await this.#replayPage(roomId, behind, leastOf(behind), channel.position)
    }
    // A member removed in the meantime must not be attached again.
    const memberships = await Promise.all(
      joiners.map(({ subscription }) => this.#members.find(roomId, subscription.userId)),
    )
    if (this.#channels.get(roomId) !== channel) return false
    for (const [index, { subscription }] of joiners.entries()) {
      const membership = memberships[index]
      if (membership && subscription.active) channel.attach(subscription, membership.visibleFromSeq)
    }
    return true
  }

  /** Delivers the page after a position to joiners of a room, to each what follows its own position, and moves their positions. */
  async #replayPage(
    roomId: number,
    joiners: readonly Joiner[],
    from: RoomPosition,
    upTo?: RoomPosition,
  ): Promise<void> {
    const page = await this.#readPage(roomId, from)
    await this.#members.pendingChange(roomId)
    const entries = page.filter(({ log, at }) => !upTo || at <= upTo[log])
    // The logs have no more entries, regardless of the channel's position.
    if (entries.length === 0) for (const { position } of joiners) Object.assign(position, upTo)
    for (const { log, at, createdAt, blockFor } of entries) {
      for (const { subscription, position } of joiners) {
        if (position[log] >= at) continue
        position[log] = at
        subscription.deliver({ ...position, at: createdAt }, blockFor(subscription))
      }
    }
  }

  /** Returns the messages of a page, then the changes. */
  async #readPage(roomId: number, from: RoomPosition): Promise<Entry[]> {
    const { messages, changes } = await this.#messages.pageAfter(roomId, from)
    const records = [...messages, ...changes.map(({ message }) => message)]
    const ids = records.flatMap(({ messageId, replyTo }) => (replyTo ? [messageId, replyTo] : [messageId]))
    const [views, hidden] = await Promise.all([
      this.#messages.sharedViews(records),
      this.#messages.hiddenFrom([...new Set(ids)]),
    ])
    const blocks = (index: number, toBlock: (message: Message) => Buffer) =>
      blocksOf(records[index]!, views[index]!, hidden, toBlock)
    return [
      ...messages.map(({ seq, createdAt }, index) => ({
        log: 'seq' as const,
        at: seq,
        createdAt,
        blockFor: blocks(index, (message) => frame('message', { room_id: roomId, seq, message })),
      })),
      ...changes.map(({ cseq, at, kind: change }, index) => ({
        log: 'cseq' as const,
        at: cseq,
        createdAt: at,
        blockFor: blocks(messages.length + index, (message) =>
          frame('message_updated', { room_id: roomId, cseq, change, message }),
        ),
      })),
    ]
  }
}

function leastOf(joiners: readonly Joiner[]): RoomPosition {
  const least = (log: LogName) => Math.min(...joiners.map(({ position }) => position[log]))
  return { seq: least('seq'), cseq: least('cseq') }
}

/** Returns the function from a subscription to its block: null before the member's history, and shared where all see the same. */
function blocksOf(
  record: MessageRecord,
  view: Message,
  hidden: ReadonlyMap<string, readonly number[]>,
  toBlock: (message: Message) => Buffer,
): Entry['blockFor'] {
  let shared: Buffer | undefined
  return (subscription) => {
    if (!subscription.sees(record.seq)) return null
    const { userId } = subscription
    const mine = personalView(view, record, {
      userId,
      sees: (seq) => subscription.sees(seq),
      hides: (messageId) => hidden.get(messageId)?.includes(userId) ?? false,
    })
    if (mine !== view) return toBlock(mine)
    shared ??= toBlock(view)
    return shared
  }
}

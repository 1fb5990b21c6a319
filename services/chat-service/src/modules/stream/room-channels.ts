import { BatchedReads } from '@bigtech/stores'
import type { RoomPosition } from '../messages/log/room-heads.repository.ts'
import type { LogName, StreamSource } from '../messages/stream-source.ts'
import { frame } from './frames.ts'
import type { RoomHint, RoomPubSub } from './pubsub.ts'
import { RoomChannel, type RoomChannelOptions } from './room-channel.ts'

/** The logs that went on after a position of a channel. */
interface Behind {
  readonly position: RoomPosition
  readonly logs: readonly LogName[]
}

const TYPING_TTL_MS = 6_000
const LINGER_MS = 10_000
const ROOMS_A_READ = 1_000

/** The channels of the rooms with a member connected to this process. */
export class RoomChannels {
  readonly #channels = new Map<number, RoomChannel>()
  readonly #options: RoomChannelOptions
  readonly #messages: StreamSource
  readonly #pubsub: RoomPubSub
  readonly #behind = new BatchedReads<Behind>((roomIds) => this.#readBehind(roomIds), {
    maxKeys: ROOMS_A_READ,
  })

  constructor(pubsub: RoomPubSub, options: RoomChannelOptions) {
    const { messages } = options
    this.#options = options
    this.#messages = messages
    this.#pubsub = pubsub
    messages.onUpdate((update) => this.publish(update))
  }

  get(roomId: number): RoomChannel | undefined {
    return this.#channels.get(roomId)
  }

  /**
   * Opens missing channels: all are open when it resolves, until the caller's next `await`, because idle channels
   * are closed. Rejects when the logs cannot be read.
   */
  async open(roomIds: readonly number[]): Promise<void> {
    for (;;) {
      const missing = roomIds.filter((roomId) => !this.#channels.has(roomId))
      if (missing.length === 0) return
      await this.#openMissing(missing)
    }
  }

  /** Subscribes before reading the rooms' positions, so that no update in between is lost. */
  async #openMissing(missing: readonly number[]): Promise<void> {
    const early = new Set<number>()
    for (const roomId of missing) {
      this.#pubsub.subscribe(roomId, (hint) => {
        const channel = this.#channels.get(roomId)
        if (channel) this.#receive(channel, hint)
        else early.add(roomId)
      })
    }
    const positions = await this.#positions(missing)
    for (const roomId of missing) {
      if (this.#channels.has(roomId)) continue
      const channel = new RoomChannel(roomId, positions.get(roomId)!, this.#options)
      this.#channels.set(roomId, channel)
      if (early.has(roomId)) void channel.catchUp().catch(() => undefined)
    }
  }

  /** Returns the channel of a room, opening it if needed. */
  async require(roomId: number): Promise<RoomChannel> {
    for (;;) {
      const channel = this.#channels.get(roomId)
      if (channel) return channel
      await this.open([roomId])
    }
  }

  async #positions(roomIds: readonly number[]): Promise<ReadonlyMap<number, RoomPosition>> {
    try {
      return await this.#messages.headsOf(roomIds)
    } catch (err) {
      for (const roomId of roomIds) if (!this.#channels.has(roomId)) this.#pubsub.unsubscribe(roomId)
      throw err
    }
  }

  /** Publishes an update to the streams of this process, and to the other processes. */
  publish(hint: RoomHint): void {
    const channel = this.#channels.get(hint.roomId)
    if (channel) this.#receive(channel, hint)
    this.#pubsub.publish(hint)
  }

  #receive(channel: RoomChannel, hint: RoomHint): void {
    if ('typing' in hint) {
      const { roomId: room_id, typing: user_id } = hint
      channel.broadcast(frame('typing', { room_id, user_id, expires_in_ms: TYPING_TTL_MS }), user_id)
      return
    }
    if (hint.hidden) {
      const { userId, messageId } = hint.hidden
      channel.sendTo(userId, frame('message_hidden', { room_id: hint.roomId, message_id: messageId }))
    }
    if (hint.privateRead) {
      const { userId: user_id, seq } = hint.privateRead
      const positions = [{ user_id, seq }]
      channel.sendTo(user_id, frame('read', { room_id: hint.roomId, positions }))
    }
    for (const { userId, seq, messageType } of hint.messages ?? []) {
      if (messageType !== 'system') this.#messages.noteRead({ roomId: hint.roomId, userId, seq })
    }
    channel.apply(hint)
  }

  /**
   * Compares the positions of all channels with the logs and delivers entries whose updates were lost. Rejects when the logs
   * cannot be read.
   */
  async verifyAll(): Promise<void> {
    const behind = await this.#readBehind([...this.#channels.keys()])
    await Promise.all([...behind].map((each) => this.#catchUp(...each)))
  }

  /** Like `verifyAll`, for the rooms of one stream. Streams that resume at once share the comparison. */
  async verify(roomIds: readonly number[]): Promise<void> {
    const behind = await Promise.all(roomIds.map((roomId) => this.#behind.get(roomId)))
    await Promise.all(roomIds.map((roomId, index) => this.#catchUp(roomId, behind[index])))
  }

  async #readBehind(roomIds: readonly number[]): Promise<Map<number, Behind>> {
    const positions = new Map<number, RoomPosition>()
    for (const roomId of roomIds) {
      const position = this.#channels.get(roomId)?.position
      if (position) positions.set(roomId, position)
    }
    const beyond = await this.#messages.roomsBeyond(positions)
    return new Map([...beyond].map(([roomId, logs]) => [roomId, { position: positions.get(roomId)!, logs }]))
  }

  async #catchUp(roomId: number, behind: Behind | undefined): Promise<void> {
    if (behind) await this.#channels.get(roomId)?.catchUpFrom(behind.position, behind.logs)
  }

  /** Closes channels without subscribers after a delay, because most clients reconnect. */
  closeIdle(): void {
    const before = Date.now() - LINGER_MS
    for (const [roomId, channel] of this.#channels) {
      if (channel.idleSince === null || channel.idleSince > before) continue
      channel.close()
      this.#channels.delete(roomId)
      this.#pubsub.unsubscribe(roomId)
    }
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close()
  }
}

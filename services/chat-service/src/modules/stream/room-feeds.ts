import type { Service } from '@bigtech/service-kit'
import type { MessagesForStreams } from '../messages/messages.module.ts'
import type { RoomPosition } from '../messages/room-positions.ts'
import type { StreamConnection } from './connection.ts'
import { frame } from './frames.ts'
import type { RoomHint, RoomHints } from './hints.ts'
import { RoomFeed } from './room-feed.ts'

const TYPING_TTL_MS = 6_000
const LINGER_MS = 10_000

/** The rooms that somebody who is connected here is in. */
export class RoomFeeds {
  readonly #feeds = new Map<number, RoomFeed>()
  readonly #messages: MessagesForStreams
  readonly #hints: RoomHints
  readonly #log: Service['log']

  constructor(messages: MessagesForStreams, hints: RoomHints, log: Service['log']) {
    this.#messages = messages
    this.#hints = hints
    this.#log = log
    messages.updates.onUpdate((update) => this.tell(update))
  }

  get size(): number {
    return this.#feeds.size
  }

  get(roomId: number): RoomFeed | undefined {
    return this.#feeds.get(roomId)
  }

  /** Listens before anybody looks where the rooms are: what happens in between is then noticed. */
  async open(roomIds: readonly number[]): Promise<void> {
    const missing = roomIds.filter((roomId) => !this.#feeds.has(roomId))
    if (missing.length === 0) return
    const early = new Set<number>()
    for (const roomId of missing) {
      this.#hints.subscribe(roomId, (hint) => {
        const feed = this.#feeds.get(roomId)
        if (feed) this.#hear(feed, hint)
        else early.add(roomId)
      })
    }
    const positions = await this.#positions(missing)
    for (const roomId of missing) {
      if (this.#feeds.has(roomId)) continue
      this.#feeds.set(roomId, new RoomFeed(roomId, positions.get(roomId)!, this.#messages, this.#log))
      if (early.has(roomId))
        void this.#feeds
          .get(roomId)!
          .catchUp()
          .catch(() => undefined)
    }
  }

  async #positions(roomIds: readonly number[]): Promise<Map<number, RoomPosition>> {
    try {
      return await this.#messages.rooms.of(roomIds)
    } catch (err) {
      for (const roomId of roomIds) if (!this.#feeds.has(roomId)) this.#hints.unsubscribe(roomId)
      throw err
    }
  }

  detach(connection: StreamConnection): void {
    for (const feed of this.#feeds.values()) feed.detach(connection)
  }

  /** To the streams of this process, and to the other processes. */
  tell(hint: RoomHint): void {
    const feed = this.#feeds.get(hint.roomId)
    if (feed) this.#hear(feed, hint)
    this.#hints.publish(hint)
  }

  #hear(feed: RoomFeed, hint: RoomHint): void {
    if ('typing' in hint) {
      const { roomId: room_id, typing: user_id } = hint
      feed.broadcast(frame('typing', { room_id, user_id, expires_in_ms: TYPING_TTL_MS }), user_id)
      return
    }
    if (hint.hidden) {
      const { userId, messageId } = hint.hidden
      const block = frame('message_hidden', { room_id: hint.roomId, message_id: messageId })
      for (const connection of feed.connectionsOf(userId)) connection.send(block)
    }
    for (const { userId, seq, messageType } of hint.messages ?? []) {
      if (messageType !== 'system') this.#messages.reads.heard({ roomId: hint.roomId, userId, seq })
    }
    feed.apply(hint)
  }

  /**
   * Asks the store whether any of the rooms has gone on without this process having heard of it, and
   * fetches what is missing. Rejects when it could not find out.
   */
  async verify(roomIds: Iterable<number> = this.#feeds.keys()): Promise<void> {
    const seqs = new Map<number, number>()
    const cseqs = new Map<number, number>()
    for (const roomId of roomIds) {
      const position = this.#feeds.get(roomId)?.position
      if (!position) continue
      seqs.set(roomId, position.seq)
      cseqs.set(roomId, position.cseq)
    }
    const { messages, changes } = this.#messages.repository
    const found = await Promise.all([messages.roomsBeyond(seqs), changes.roomsBeyond(cseqs)])
    await Promise.all([...new Set(found.flat())].map((roomId) => this.#feeds.get(roomId)?.catchUp()))
  }

  /** Rooms of people who have gone: kept for a moment, since most come back. */
  closeIdle(): void {
    const before = Date.now() - LINGER_MS
    for (const [roomId, feed] of this.#feeds) {
      if (feed.idleSince === null || feed.idleSince > before) continue
      feed.close()
      this.#feeds.delete(roomId)
      this.#hints.unsubscribe(roomId)
    }
  }

  close(): void {
    for (const feed of this.#feeds.values()) feed.close()
  }
}

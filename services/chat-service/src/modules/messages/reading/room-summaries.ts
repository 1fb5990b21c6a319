import type { HistoryStart } from '../../membership/membership.ports.ts'
import { readFloor } from '../../membership/membership.ts'
import type { MessageRepository } from '../log/message.repository.ts'
import { excerpt, positionId, positionOf, roomOf } from '../message.ts'
import type { RoomHead, RoomHeads } from '../messages.ports.ts'
import type { RoomSummaryRepository } from './room-summary.repository.ts'
import type { UnreadCountRepository } from './unread-counts.repository.ts'

/** Builds the message data of a room list, for all its rooms at once. */
export class RoomHeadsReader implements RoomHeads {
  readonly #counts: UnreadCountRepository
  readonly #repository: MessageRepository
  readonly #summaries: RoomSummaryRepository

  constructor(options: {
    counts: UnreadCountRepository
    repository: MessageRepository
    summaries: RoomSummaryRepository
  }) {
    this.#counts = options.counts
    this.#repository = options.repository
    this.#summaries = options.summaries
  }

  async heads(
    rooms: readonly ({ readonly roomId: number; readonly headSeq: number } & HistoryStart)[],
    userId: number,
  ): Promise<Map<number, RoomHead>> {
    const shown = rooms.filter(({ headSeq, visibleFromSeq }) => headSeq >= Math.max(1, visibleFromSeq))
    const heads = new Map(shown.map(({ roomId, headSeq }) => [roomId, headSeq]))
    const { read, last, hidden, lastHidden } = await this.#summaries.read(userId, heads)
    const behind = new Map<number, number>()
    for (const room of shown) {
      const position = Math.max(read.get(room.roomId) ?? 0, readFloor(room))
      if (position < room.headSeq) behind.set(room.roomId, position)
    }
    const [silent, mentions] = await Promise.all([
      this.#silent(lastHidden, behind),
      this.#counts.mentions(userId, behind),
    ])
    return new Map(
      shown.map(({ roomId, headSeq: lastSeq }) => {
        const message = last.get(positionId(roomId, lastSeq))
        const beyond = lastSeq - (behind.get(roomId) ?? lastSeq)
        const unreadCount = Math.max(0, beyond - (silent.get(roomId) ?? 0))
        return [
          roomId,
          {
            lastSeq,
            lastMessageType: message?.messageType ?? null,
            lastMessagePreview:
              !message || message.isDeleted || hidden.has(message.messageId)
                ? null
                : excerpt(message.content),
            lastMessageAt: message ? new Date(message.createdAt) : null,
            unreadCount,
            mentionCount: Math.min(unreadCount, mentions.get(roomId) ?? 0),
          },
        ]
      }),
    )
  }

  async newerThan(known: ReadonlyMap<number, number>) {
    const { messages } = this.#repository
    const found = await messages.roomsBeyond(known)
    const heads = await Promise.all(found.map((roomId) => messages.readHead(roomId)))
    return new Map(
      found.map((roomId, index) => {
        const { position, at } = heads[index]!
        return [roomId, { lastSeq: position, lastMessageAt: new Date(at) }]
      }),
    )
  }

  async headSeq(roomId: number): Promise<number> {
    return (await this.#repository.messages.readHead(roomId)).position
  }

  /**
   * Returns, per room, the messages beyond the position that do not count as unread: system messages and
   * deleted ones.
   */
  async #silent(
    lastHidden: readonly string[],
    behind: ReadonlyMap<number, number>,
  ): Promise<Map<number, number>> {
    const [system, deleted, hidden] = await Promise.all([
      this.#counts.systemMessages(behind),
      this.#counts.deleted(behind),
      this.#hiddenBeyond(lastHidden, behind),
    ])
    return new Map(
      [...behind.keys()].map((roomId) => [
        roomId,
        (system.get(roomId) ?? 0) + (deleted.get(roomId) ?? 0) + (hidden.get(roomId) ?? 0),
      ]),
    )
  }

  /** Counts recently hidden messages: a hidden unread message must be recent. */
  async #hiddenBeyond(
    lastHidden: readonly string[],
    behind: ReadonlyMap<number, number>,
  ): Promise<Map<number, number>> {
    const ids = lastHidden.filter((id) => {
      const position = behind.get(roomOf(id))
      return position !== undefined && positionOf(id) > position
    })
    const counts = new Map<number, number>()
    for (const { roomId, isDeleted, messageType } of (await this.#repository.byIds(ids)).values()) {
      // Deleted and system messages are already counted.
      if (!isDeleted && messageType !== 'system') counts.set(roomId, (counts.get(roomId) ?? 0) + 1)
    }
    return counts
  }
}

import type { HistoryStart } from '../../membership/membership.ports.ts'
import { readFloor } from '../../membership/membership.ts'
import type { MessageRepository } from '../log/message.repository.ts'
import type { RoomPositions } from '../log/room-heads.repository.ts'
import { excerpt, positionId, positionOf, roomOf } from '../message.ts'
import type { RoomHead, RoomHeads } from '../messages.ports.ts'
import type { ReadPositionRepository } from './read-positions.repository.ts'
import type { UnreadCountRepository } from './unread-counts.repository.ts'

const MANY_HIDDEN = 500

/** What a list of rooms shows of the messages, for all its rooms at once. */
export class RoomHeadsReader implements RoomHeads {
  readonly #counts: UnreadCountRepository
  readonly #repository: MessageRepository
  readonly #rooms: RoomPositions
  readonly #positions: ReadPositionRepository

  constructor(options: {
    counts: UnreadCountRepository
    repository: MessageRepository
    rooms: RoomPositions
    positions: ReadPositionRepository
  }) {
    this.#counts = options.counts
    this.#repository = options.repository
    this.#rooms = options.rooms
    this.#positions = options.positions
  }

  async heads(
    rooms: readonly ({ readonly roomId: number } & HistoryStart)[],
    userId: number,
  ): Promise<Map<number, RoomHead>> {
    const roomIds = rooms.map(({ roomId }) => roomId)
    const [heads, read] = await Promise.all([
      this.#rooms.of(roomIds),
      this.#positions.ofUser(userId, roomIds),
    ])
    const shown = rooms.filter(
      ({ roomId, visibleFromSeq }) => heads.get(roomId)!.seq >= Math.max(1, visibleFromSeq),
    )
    const behind = new Map<number, number>()
    for (const room of shown) {
      const position = Math.max(read.get(room.roomId) ?? 0, readFloor(room))
      if (position < heads.get(room.roomId)!.seq) behind.set(room.roomId, position)
    }
    const lastIds = shown.map(({ roomId }) => positionId(roomId, heads.get(roomId)!.seq))
    const [last, hidden, silent, mentions] = await Promise.all([
      this.#repository.byIds(lastIds),
      this.#repository.hiddenBy(userId, lastIds),
      this.#silent(userId, behind),
      this.#counts.mentions(userId, behind),
    ])
    return new Map(
      shown.map(({ roomId }, index) => {
        const lastSeq = heads.get(roomId)!.seq
        const message = last.get(lastIds[index]!)
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

  /** Messages beyond the position that are not news: system lines, and what was deleted for all or by this user. */
  async #silent(userId: number, behind: ReadonlyMap<number, number>): Promise<Map<number, number>> {
    const [system, deleted, hidden] = await Promise.all([
      this.#counts.systemMessages(behind),
      this.#counts.deleted(behind),
      this.#hiddenBeyond(userId, behind),
    ])
    return new Map(
      [...behind.keys()].map((roomId) => [
        roomId,
        (system.get(roomId) ?? 0) + (deleted.get(roomId) ?? 0) + (hidden.get(roomId) ?? 0),
      ]),
    )
  }

  /** Of what the user hid lately: a message that is hidden and not read was hidden lately. */
  async #hiddenBeyond(userId: number, behind: ReadonlyMap<number, number>): Promise<Map<number, number>> {
    const ids = (await this.#repository.lastHiddenBy(userId, MANY_HIDDEN)).filter((id) => {
      const position = behind.get(roomOf(id))
      return position !== undefined && positionOf(id) > position
    })
    const counts = new Map<number, number>()
    for (const { roomId, isDeleted, messageType } of (await this.#repository.byIds(ids)).values()) {
      // Those are counted already.
      if (!isDeleted && messageType !== 'system') counts.set(roomId, (counts.get(roomId) ?? 0) + 1)
    }
    return counts
  }
}

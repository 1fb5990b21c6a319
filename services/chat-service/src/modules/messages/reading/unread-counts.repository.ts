import { type mongo, trusted } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { deletedMessages, type MessageDocument, systemLines, unreadMentions } from '../log/documents.ts'
import type { MessageRepository } from '../log/message.repository.ts'
import { positionId, positionOf, roomOf } from '../message.ts'

const END = Number.POSITIVE_INFINITY
/** Above this number counting per room is cheaper. */
const MANY_MENTIONS = 500
/** Rooms per query; with many more alternatives the planner takes longer than the search. */
const ROOMS_A_QUERY = 20

/** Up to this number reading the unread messages themselves is cheaper than counting by three indexes. */
const FEW_UNREAD = 300

/** The messages of a room that a user has not read: beyond `after`, up to `head`. */
export interface UnreadRange {
  readonly after: number
  readonly head: number
}

export interface UnreadCount {
  /** Without system messages, deleted ones and those that the user has deleted for themselves. */
  readonly unread: number
  readonly mentions: number
}

/** Counts unread messages in many rooms. */
export class UnreadCountRepository {
  readonly #store: MongoStore
  readonly #repository: MessageRepository

  constructor(store: MongoStore, repository: MessageRepository) {
    this.#store = store
    this.#repository = repository
  }

  /**
   * Counts the unread messages of each room.
   *
   * @param lastHidden the latest messages that the user has deleted for themselves: a hidden unread message must be recent
   */
  async unread(
    userId: number,
    ranges: ReadonlyMap<number, UnreadRange>,
    lastHidden: readonly string[],
  ): Promise<Map<number, UnreadCount>> {
    if (ranges.size === 0) return new Map()
    const total = [...ranges.values()].reduce((sum, { after, head }) => sum + head - after, 0)
    const hidden = lastHidden.filter((id) => positionOf(id) > (ranges.get(roomOf(id))?.after ?? END))
    return total <= FEW_UNREAD
      ? this.#readUnread(userId, ranges, new Set(hidden))
      : this.#countUnread(userId, ranges, hidden)
  }

  /** Reads the unread messages by primary key, from the user's newest own message on: its sender has read the earlier ones. */
  async #readUnread(
    userId: number,
    ranges: ReadonlyMap<number, UnreadRange>,
    hidden: ReadonlySet<string>,
  ): Promise<Map<number, UnreadCount>> {
    const ids = [...ranges].flatMap(([roomId, { after, head }]) =>
      Array.from({ length: head - after }, (_, index) => positionId(roomId, after + index + 1)),
    )
    const messages = await this.#store.find('messages.unread', this.#repository.messages.model, {
      filter: { _id: trusted({ $in: ids }) } as mongo.Filter<MessageDocument>,
      projection: { room_id: 1, user_id: 1, message_type: 1, is_deleted: 1, mentions: 1 },
      limit: ids.length,
    })
    const written = new Map<number, number>()
    for (const { _id, room_id, user_id, message_type } of messages) {
      if (user_id === userId && message_type !== 'system')
        written.set(room_id, Math.max(written.get(room_id) ?? 0, positionOf(_id)))
    }
    const counts = new Map<number, UnreadCount>()
    for (const { _id, room_id, message_type, is_deleted, mentions } of messages) {
      if (positionOf(_id) <= (written.get(room_id) ?? 0)) continue
      const known = counts.get(room_id) ?? { unread: 0, mentions: 0 }
      const isSilent = message_type === 'system' || is_deleted || hidden.has(_id)
      counts.set(room_id, {
        unread: known.unread + (isSilent ? 0 : 1),
        mentions: known.mentions + (mentions?.includes(userId) ? 1 : 0),
      })
    }
    return counts
  }

  async #countUnread(
    userId: number,
    ranges: ReadonlyMap<number, UnreadRange>,
    hiddenIds: readonly string[],
  ): Promise<Map<number, UnreadCount>> {
    const behind = new Map([...ranges].map(([roomId, { after }]) => [roomId, after]))
    const [system, deleted, hidden, mentions] = await Promise.all([
      this.#countBeyond(behind, systemLines, { message_type: 'system' }),
      this.#countBeyond(behind, deletedMessages, { is_deleted: true }),
      this.#countHidden(hiddenIds),
      this.#mentions(userId, behind),
    ])
    return new Map(
      [...ranges].map(([roomId, { after, head }]) => {
        const silent = [system, deleted, hidden].reduce((sum, counts) => sum + (counts.get(roomId) ?? 0), 0)
        return [roomId, { unread: Math.max(0, head - after - silent), mentions: mentions.get(roomId) ?? 0 }]
      }),
    )
  }

  /** Counts, per room, those of the messages that are neither deleted nor system messages. */
  async #countHidden(ids: readonly string[]): Promise<Map<number, number>> {
    const counts = new Map<number, number>()
    for (const { roomId, isDeleted, messageType } of (await this.#repository.byIds(ids)).values()) {
      if (!isDeleted && messageType !== 'system') counts.set(roomId, (counts.get(roomId) ?? 0) + 1)
    }
    return counts
  }

  /** Counts, per room, messages beyond its position that mention the user. */
  async #mentions(userId: number, behind: ReadonlyMap<number, number>): Promise<Map<number, number>> {
    const counts = new Map<number, number>()
    const all = await this.#store.find('messages.mentions', this.#repository.messages.model, {
      filter: {
        mentions: userId,
        room_id: trusted({ $in: [...behind.keys()] }),
      } as mongo.Filter<MessageDocument>,
      projection: { room_id: 1 },
      limit: MANY_MENTIONS,
    })
    // Most users have few mentions. For the others each room is counted from its position on.
    if (all.length === MANY_MENTIONS) return this.#countBeyond(behind, unreadMentions, { mentions: userId })
    for (const { _id, room_id } of all) {
      if (positionOf(_id) > behind.get(room_id)!) counts.set(room_id, (counts.get(room_id) ?? 0) + 1)
    }
    return counts
  }

  /** Counts matching messages beyond each room's position, by the named index. */
  async #countBeyond(
    behind: ReadonlyMap<number, number>,
    index: string,
    match: mongo.Filter<MessageDocument>,
  ): Promise<Map<number, number>> {
    // The hinted index must exist.
    await this.#repository.prepare()
    const ranges = [...behind].map(
      ([roomId, seq]) =>
        ({
          ...match,
          room_id: roomId,
          _id: { $gt: positionId(roomId, seq) },
        }) as mongo.Filter<MessageDocument>,
    )
    const found = await Promise.all(
      Array.from({ length: Math.ceil(ranges.length / ROOMS_A_QUERY) }, (_, part) =>
        this.#countByRoom(ranges.slice(part * ROOMS_A_QUERY, (part + 1) * ROOMS_A_QUERY), index),
      ),
    )
    return new Map(found.flat().map(({ _id, count }) => [_id, count]))
  }

  #countByRoom(
    ranges: readonly mongo.Filter<MessageDocument>[],
    hint: string,
  ): Promise<{ _id: number; count: number }[]> {
    return this.#store.run('messages.count', () =>
      this.#repository.messages.model
        .aggregate<{ _id: number; count: number }>(
          [{ $match: { $or: [...ranges] as never } }, { $group: { _id: '$room_id', count: { $sum: 1 } } }],
          { hint },
        )
        .exec(),
    )
  }
}

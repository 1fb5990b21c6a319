import { type mongo, trusted } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { deletedMessages, type MessageDocument, systemLines, unreadMentions } from '../log/documents.ts'
import type { MessageRepository } from '../log/message.repository.ts'
import { positionId, positionOf } from '../message.ts'

/** Above this number counting per room is cheaper. */
const MANY_MENTIONS = 500
/** Rooms per query; with many more alternatives the planner takes longer than the search. */
const ROOMS_A_QUERY = 20

/** Counts messages beyond a position in each of many rooms. Omits rooms without any. */
export class UnreadCountRepository {
  readonly #store: MongoStore
  readonly #repository: MessageRepository

  constructor(store: MongoStore, repository: MessageRepository) {
    this.#store = store
    this.#repository = repository
  }

  /** Counts, per room, messages beyond its position that mention the user. */
  async mentions(userId: number, behind: ReadonlyMap<number, number>): Promise<Map<number, number>> {
    const counts = new Map<number, number>()
    if (behind.size === 0) return counts
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

  /** @param behind position per room */
  systemMessages(behind: ReadonlyMap<number, number>): Promise<Map<number, number>> {
    return this.#countBeyond(behind, systemLines, { message_type: 'system' })
  }

  /** @param behind position per room */
  deleted(behind: ReadonlyMap<number, number>): Promise<Map<number, number>> {
    return this.#countBeyond(behind, deletedMessages, { is_deleted: true })
  }

  /** Counts matching messages beyond each room's position, by the named index. */
  async #countBeyond(
    behind: ReadonlyMap<number, number>,
    index: string,
    match: mongo.Filter<MessageDocument>,
  ): Promise<Map<number, number>> {
    if (behind.size === 0) return new Map()
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

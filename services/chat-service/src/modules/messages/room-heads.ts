import type { mongo } from 'mongoose'
import type { RoomHead, RoomHeads } from '../rooms/membership.ts'
import { type MessageDocument, unreadMentions } from './documents.ts'
import type { MessageRepository } from './message.repository.ts'
import { excerpt, positionId, positionOf } from './message.ts'
import type { MongoStore } from './mongo-store.ts'
import type { ReadPositionRepository } from './read-positions.ts'
import type { RoomPositions } from './room-positions.ts'

/** From here on it is cheaper to ask for the unread ones alone. */
const MANY_MENTIONS = 500
/** In one query; with many more alternatives the planner takes longer than the search. */
const ROOMS_A_QUERY = 20

/** What a list of rooms shows of the messages, for all its rooms at once. */
export class RoomHeadsReader implements RoomHeads {
  readonly #store: MongoStore
  readonly #repository: MessageRepository
  readonly #rooms: RoomPositions
  readonly #positions: ReadPositionRepository

  constructor(options: {
    store: MongoStore
    repository: MessageRepository
    rooms: RoomPositions
    positions: ReadPositionRepository
  }) {
    this.#store = options.store
    this.#repository = options.repository
    this.#rooms = options.rooms
    this.#positions = options.positions
  }

  async heads(
    rooms: readonly { readonly roomId: number; readonly visibleFromSeq: number }[],
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
    for (const { roomId, visibleFromSeq } of shown) {
      const position = Math.max(read.get(roomId) ?? 0, visibleFromSeq - 1)
      if (position < heads.get(roomId)!.seq) behind.set(roomId, position)
    }
    const lastIds = shown.map(({ roomId }) => positionId(roomId, heads.get(roomId)!.seq))
    const [last, hidden, mentions] = await Promise.all([
      this.#repository.byIds(lastIds),
      this.#repository.hiddenBy(userId, lastIds),
      this.#mentions(userId, behind),
    ])
    return new Map(
      shown.map(({ roomId }, index) => {
        const lastSeq = heads.get(roomId)!.seq
        const message = last.get(lastIds[index]!)
        // The position of whoever writes follows a moment later; what they wrote is not news to them.
        const isMine = message?.userId === userId && message.messageType !== 'system'
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
            unreadCount: isMine ? 0 : lastSeq - (behind.get(roomId) ?? lastSeq),
            mentionCount: isMine ? 0 : (mentions.get(roomId) ?? 0),
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

  async #mentions(userId: number, behind: ReadonlyMap<number, number>): Promise<Map<number, number>> {
    const counts = new Map<number, number>()
    if (behind.size === 0) return counts
    const all = await this.#store.find('messages.mentions', this.#repository.messages.collection, {
      filter: { mentions: userId, room_id: { $in: [...behind.keys()] } } as mongo.Filter<MessageDocument>,
      projection: { room_id: 1 },
      limit: MANY_MENTIONS,
    })
    // Most people have been mentioned a few times. For the others each room is counted from its place on.
    if (all.length === MANY_MENTIONS) return this.#countMentions(userId, behind)
    for (const { _id, room_id } of all) {
      if (positionOf(_id) > behind.get(room_id)!) counts.set(room_id, (counts.get(room_id) ?? 0) + 1)
    }
    return counts
  }

  async #countMentions(userId: number, behind: ReadonlyMap<number, number>): Promise<Map<number, number>> {
    // The index that is asked for by name must be there.
    await this.#repository.ensureIndexes()
    const places = [...behind].map(([roomId, seq]) => ({
      mentions: userId,
      room_id: roomId,
      _id: { $gt: positionId(roomId, seq) },
    }))
    const found = await Promise.all(
      Array.from({ length: Math.ceil(places.length / ROOMS_A_QUERY) }, (_, index) =>
        this.#countByRoom(places.slice(index * ROOMS_A_QUERY, (index + 1) * ROOMS_A_QUERY)),
      ),
    )
    return new Map(found.flat().map(({ _id, count }) => [_id, count]))
  }

  #countByRoom(places: readonly mongo.Filter<MessageDocument>[]): Promise<{ _id: number; count: number }[]> {
    return this.#store.run('messages.mentions', () =>
      this.#repository.messages.collection
        .aggregate<{ _id: number; count: number }>(
          [{ $match: { $or: places } }, { $group: { _id: '$room_id', count: { $sum: 1 } } }],
          { hint: unreadMentions },
        )
        .toArray(),
    )
  }
}

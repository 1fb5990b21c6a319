import { type Model, trusted } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import type { ReadPositionDocument } from '../log/documents.ts'
import { models } from '../log/models.ts'
import type { MessageRecord, UnixMs } from '../message.ts'

export interface ReadPosition {
  readonly roomId: number
  readonly userId: number
  readonly seq: number
}

/** With the time of the move, by the server's clock. */
export type MovedPosition = ReadPosition & { readonly at: UnixMs }

/** Of one room: everybody who is or ever was in it. */
const MAX_IN_ROOM = 100_000

const MAX_ATTEMPTS = 5

/** How far everybody has read, one document per member, moved forward only. */
export class ReadPositionRepository {
  readonly #store: MongoStore

  constructor(store: MongoStore) {
    this.#store = store
  }

  /** Several at once, in any order and any number of times: the highest wins. */
  async advance(positions: readonly ReadPosition[]): Promise<void> {
    if (positions.length === 0) return
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#advance(positions)
        return
      } catch (err) {
        if (attempt >= MAX_ATTEMPTS || !isLostUpsert(err)) throw err
      }
    }
  }

  async #advance(positions: readonly ReadPosition[]): Promise<void> {
    await this.#store.run('positions.advance', () =>
      // The driver's: Mongoose would have to be told to leave each pipeline alone.
      this.#positions.collection.bulkWrite(
        positions.map(({ roomId, userId, seq }) => ({
          updateOne: {
            filter: { _id: `${roomId}:${userId}` },
            update: [{ $set: { room_id: roomId, user_id: userId, ...movedTo(seq) } }],
            upsert: true,
          },
        })) as never,
        { ordered: false, writeConcern: { w: 'majority', journal: true } },
      ),
    )
  }

  /** Of a room: those that moved since, or all. Times are those of the server. */
  async ofRoom(roomId: number, since?: Date): Promise<MovedPosition[]> {
    const docs = await this.#store.find('positions.of_room', this.#positions, {
      filter: { room_id: roomId, ...(since ? { at: trusted({ $gte: since }) } : {}) },
      limit: MAX_IN_ROOM,
    })
    return docs.map(toMovedPosition)
  }

  async ofUser(userId: number, roomIds: readonly number[]): Promise<Map<number, number>> {
    if (roomIds.length === 0) return new Map()
    const docs = await this.#store.find('positions.of_user', this.#positions, {
      filter: { _id: trusted({ $in: roomIds.map((roomId) => `${roomId}:${userId}`) }) },
      limit: roomIds.length,
    })
    return new Map(docs.map(({ room_id, seq }) => [room_id, seq]))
  }

  /** In any of the rooms, those that moved since. */
  async movedSince(roomIds: readonly number[], since: Date, limit: number): Promise<ReadPosition[]> {
    const docs = await this.#store.find('positions.moved', this.#positions, {
      filter: { room_id: trusted({ $in: [...roomIds] }), at: trusted({ $gte: since }) },
      limit,
    })
    return docs.map(toPosition)
  }

  get #positions(): Model<ReadPositionDocument> {
    return models.positions(this.#store)
  }
}

/**
 * DocumentDB refuses `$$NOW` to an upsert that meets another one of the same document. Nothing of it was written, and the
 * next attempt finds the document there.
 */
function isLostUpsert(err: unknown): boolean {
  return (
    err instanceof Error && 'code' in err && err.code === FAILED_TO_PARSE && err.message.includes('$$NOW')
  )
}

const FAILED_TO_PARSE = 9

/** By the server's clock: those who ask for what has moved since have only one clock to go by. */
function movedTo(seq: number) {
  const moves = { $gt: [seq, { $ifNull: ['$seq', 0] }] }
  return { seq: { $max: ['$seq', seq] }, at: { $cond: [moves, '$$NOW', '$at'] } }
}

/** How far the writers of these messages have read. */
export function readByWriting(
  messages: readonly Pick<MessageRecord, 'roomId' | 'userId' | 'seq' | 'messageType'>[],
): ReadPosition[] {
  const newest = new Map<string, ReadPosition>()
  for (const { roomId, userId, seq, messageType } of messages) {
    const key = `${roomId}:${userId}`
    if (messageType !== 'system' && (newest.get(key)?.seq ?? 0) < seq)
      newest.set(key, { roomId, userId, seq })
  }
  return [...newest.values()]
}

export function toMovedPosition(doc: ReadPositionDocument): MovedPosition {
  return { ...toPosition(doc), at: doc.at.getTime() }
}

function toPosition({ room_id, user_id, seq }: ReadPositionDocument): ReadPosition {
  return { roomId: room_id, userId: user_id, seq }
}

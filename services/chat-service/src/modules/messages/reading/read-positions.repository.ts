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

/** A position with the time of its move by the server's clock. */
export type MovedPosition = ReadPosition & { readonly at: UnixMs }

/** Per room: all current and former members. */
const MAX_IN_ROOM = 100_000

const MAX_ATTEMPTS = 5

/** Read positions, one document per member, which only move forward. */
export class ReadPositionRepository {
  readonly #store: MongoStore

  constructor(store: MongoStore) {
    this.#store = store
  }

  /** Advances several positions, in any order and any number of times: the highest wins. */
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
      // Uses the driver: Mongoose would modify each pipeline.
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

  /** Returns the positions of a room that moved since then, or all. Times are those of the server. */
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

  /** Returns the positions in any of the rooms that moved since then. */
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
 * DocumentDB rejects `$$NOW` in an upsert that races with another one of the same document. Nothing was
 * written, and the retry finds the existing document.
 */
function isLostUpsert(err: unknown): boolean {
  return (
    err instanceof Error && 'code' in err && err.code === FAILED_TO_PARSE && err.message.includes('$$NOW')
  )
}

const FAILED_TO_PARSE = 9

/** Uses the server's clock, so that queries for moves since a time depend on one clock only. */
function movedTo(seq: number) {
  const moves = { $gt: [seq, { $ifNull: ['$seq', 0] }] }
  return { seq: { $max: ['$seq', seq] }, at: { $cond: [moves, '$$NOW', '$at'] } }
}

/** Returns the read positions implied by sending these messages. */
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

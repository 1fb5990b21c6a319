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

/** A user's positions in a room. */
export interface OwnPosition {
  /** As other members see it. */
  readonly shown: number
  /** Never before `shown`. */
  readonly own: number
}

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
  advance(positions: readonly ReadPosition[]): Promise<void> {
    return this.#advanceBy(positions, movedTo)
  }

  /** Advances a position that only its user sees; other members see it unmoved. */
  advancePrivately(position: ReadPosition): Promise<void> {
    return this.#advanceBy([position], movedPrivatelyTo)
  }

  async #advanceBy(positions: readonly ReadPosition[], move: Move): Promise<void> {
    if (positions.length === 0) return
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#advance(positions, move)
        return
      } catch (err) {
        if (attempt >= MAX_ATTEMPTS || !isLostUpsert(err)) throw err
      }
    }
  }

  async #advance(positions: readonly ReadPosition[], move: Move): Promise<void> {
    await this.#store.run('positions.advance', () =>
      // Uses the driver: Mongoose would modify each pipeline.
      this.#positions.collection.bulkWrite(
        positions.map(({ roomId, userId, seq }) => ({
          updateOne: {
            filter: { _id: `${roomId}:${userId}` },
            update: [{ $set: { room_id: roomId, user_id: userId, ...move(seq) } }],
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

  async ofUser(userId: number, roomId: number): Promise<OwnPosition> {
    const [doc] = await this.#store.find('positions.of_user', this.#positions, {
      filter: { _id: `${roomId}:${userId}` },
      limit: 1,
    })
    return doc ? { shown: doc.seq, own: ownSeqOf(doc) } : { shown: 0, own: 0 }
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

/** Leaves the time as it is, so that no query for moves finds the position. */
function movedPrivatelyTo(seq: number) {
  return {
    seq: { $ifNull: ['$seq', 0] },
    at: { $ifNull: ['$at', new Date(0)] },
    private_seq: { $max: ['$private_seq', seq] },
  }
}

type Move = (seq: number) => Record<string, unknown>

/** Returns the position for the user's own unread count. */
export function ownSeqOf({
  seq,
  private_seq = 0,
}: Pick<ReadPositionDocument, 'seq' | 'private_seq'>): number {
  return Math.max(seq, private_seq)
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

import type { mongo } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { collections, type RoomHeadDocument } from './documents.ts'
import type { MessageRepository } from './message.repository.ts'

/** The positions of the two logs of a room. */
export interface RoomPosition {
  readonly seq: number
  readonly cseq: number
}

const MAX_ROOMS_A_READ = 1_000
/** A larger write could miss the deadline of the store under load. */
const MAX_ROOMS_A_WRITE = 200

/**
 * The heads of many rooms in a few queries. Stores how far each room is published, which the relay needs; the
 * heads are searched from there by primary key.
 */
export class RoomPositions {
  readonly #store: MongoStore
  readonly #repository: MessageRepository

  constructor(store: MongoStore, repository: MessageRepository) {
    this.#store = store
    this.#repository = repository
  }

  /** Returns the exact head of each room. */
  async of(roomIds: readonly number[]): Promise<Map<number, RoomPosition>> {
    const { messages, changes } = this.#repository
    const stored = new Map((await this.#read(roomIds)).map((doc) => [doc._id, doc]))
    const seqs = new Map<number, number>()
    const cseqs = new Map<number, number>()
    for (const roomId of roomIds) {
      const { published_seq = 0, published_cseq = 0 } = stored.get(roomId) ?? {}
      seqs.set(roomId, Math.max(messages.knownPosition(roomId), published_seq))
      cseqs.set(roomId, Math.max(changes.knownPosition(roomId), published_cseq))
    }
    const [moreMessages, moreChanges] = await Promise.all([
      messages.roomsBeyond(seqs),
      changes.roomsBeyond(cseqs),
    ])
    await Promise.all([
      ...moreMessages.map(async (roomId) => seqs.set(roomId, (await messages.readHead(roomId)).position)),
      ...moreChanges.map(async (roomId) => cseqs.set(roomId, (await changes.readHead(roomId)).position)),
    ])
    return new Map(roomIds.map((roomId) => [roomId, { seq: seqs.get(roomId)!, cseq: cseqs.get(roomId)! }]))
  }

  /** Returns how far each room is published. Omits rooms of which this log has published nothing. */
  async published(roomIds: readonly number[]): Promise<Map<number, RoomPosition>> {
    const published = new Map<number, RoomPosition>()
    for (const { _id, published_seq, published_cseq } of await this.#read(roomIds)) {
      if (published_seq !== undefined && published_cseq !== undefined)
        published.set(_id, { seq: published_seq, cseq: published_cseq })
    }
    return published
  }

  /** Advances the published positions; a position behind the stored one has no effect. */
  async advancePublished(positions: ReadonlyMap<number, RoomPosition>): Promise<void> {
    const writes = [...positions].map(([_id, { seq, cseq }]) => ({
      updateOne: {
        filter: { _id },
        update: { $max: { published_seq: seq, published_cseq: cseq } },
        upsert: true,
      },
    }))
    for (let start = 0; start < writes.length; start += MAX_ROOMS_A_WRITE) {
      const some = writes.slice(start, start + MAX_ROOMS_A_WRITE)
      await this.#store.run('heads.advance', () => this.#heads.bulkWrite(some, { ordered: false }))
    }
  }

  async #read(roomIds: readonly number[]): Promise<RoomHeadDocument[]> {
    const docs: RoomHeadDocument[] = []
    for (let start = 0; start < roomIds.length; start += MAX_ROOMS_A_READ) {
      const some = roomIds.slice(start, start + MAX_ROOMS_A_READ)
      const found = await this.#store.find('heads.read', this.#heads, {
        filter: { _id: { $in: some } },
        limit: some.length,
      })
      docs.push(...found)
    }
    return docs
  }

  get #heads(): mongo.Collection<RoomHeadDocument> {
    return this.#store.collection<RoomHeadDocument>(collections.heads)
  }
}

import type { Service } from '@bigtech/service-kit'
import type { mongo } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { collections, type RoomHeadDocument } from './documents.ts'
import type { MessageRepository } from './message.repository.ts'

/** How far the two logs of a room go. */
export interface RoomPosition {
  readonly seq: number
  readonly cseq: number
}

const FLUSH_MS = 500
const EMPTY: RoomPosition = { seq: 0, cseq: 0 }

/**
 * Where many rooms are, exactly, in a handful of queries: notes that are written at most twice a
 * second a room say where to start, and the primary key says whether the room has gone on since.
 */
export class RoomPositions {
  readonly #store: MongoStore
  readonly #repository: MessageRepository
  readonly #log: Service['log']
  readonly #noted = new Map<number, { seq: number; cseq: number }>()
  #timer: NodeJS.Timeout | undefined

  constructor(store: MongoStore, repository: MessageRepository, log: Service['log']) {
    this.#store = store
    this.#repository = repository
    this.#log = log
  }

  /** To be called after every append; costs nothing but memory. */
  note(roomId: number, position: Partial<RoomPosition>): void {
    const noted = this.#noted.get(roomId) ?? { seq: 0, cseq: 0 }
    noted.seq = Math.max(noted.seq, position.seq ?? 0)
    noted.cseq = Math.max(noted.cseq, position.cseq ?? 0)
    this.#noted.set(roomId, noted)
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS)
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const noted = [...this.#noted]
    this.#noted.clear()
    if (noted.length === 0) return
    const writes = noted.map(([roomId, position]) => ({
      updateOne: { filter: { _id: roomId }, update: { $max: position }, upsert: true },
    }))
    await this.#store
      .run('heads.note', () => this.#heads.bulkWrite(writes, { ordered: false }))
      // Not needed for anything but speed, so nobody waits for it and nothing repeats it.
      .catch((err: unknown) => this.#log.debug({ err }, 'room heads not noted'))
  }

  /** Recomputes each room's head from the logs. */
  async of(roomIds: readonly number[]): Promise<Map<number, RoomPosition>> {
    const near = await this.#near(roomIds)
    const seqs = new Map(roomIds.map((roomId) => [roomId, near.get(roomId)!.seq]))
    const cseqs = new Map(roomIds.map((roomId) => [roomId, near.get(roomId)!.cseq]))
    const { messages, changes } = this.#repository
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

  async #near(roomIds: readonly number[]): Promise<Map<number, RoomPosition>> {
    const near = new Map<number, RoomPosition>(roomIds.map((roomId) => [roomId, EMPTY]))
    if (roomIds.length === 0) return near
    const docs = await this.#store.find('heads.read', this.#heads, {
      filter: { _id: { $in: [...roomIds] } },
      limit: roomIds.length,
    })
    for (const { _id, seq = 0, cseq = 0 } of docs) near.set(_id, { seq, cseq })
    return near
  }

  get #heads(): mongo.Collection<RoomHeadDocument> {
    return this.#store.collection<RoomHeadDocument>(collections.heads)
  }
}

import type { mongo } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { type CheckpointDocument, collections, type LogDocument } from '../log/documents.ts'

const _id = 'messages'

/** The time before which every entry is published. */
export class Checkpoint {
  readonly #store: MongoStore

  constructor(store: MongoStore) {
    this.#store = store
  }

  /**
   * Stores the first checkpoint, if there is none: the current time, or the time of the oldest entry that an
   * earlier release marked as unpublished.
   */
  async create(): Promise<void> {
    if (await this.read()) return
    const marked = await Promise.all([
      this.#oldestMarked(collections.messages),
      this.#oldestMarked(collections.changes),
    ])
    const at = new Date(Math.min(Date.now(), ...marked.flatMap((time) => time?.getTime() ?? [])))
    await this.#store.run('checkpoint.create', () =>
      this.#collection.updateOne({ _id }, { $setOnInsert: { at } }, { upsert: true }),
    )
  }

  async read(): Promise<Date | undefined> {
    const doc = await this.#store.run('checkpoint.read', () => this.#collection.findOne({ _id }))
    return doc?.at
  }

  /** Advances the checkpoint, unless another process or an operator has moved it. */
  async move(from: Date, to: Date): Promise<void> {
    await this.#store.run('checkpoint.move', () =>
      this.#collection.updateOne({ _id, at: from }, { $set: { at: to } }),
    )
  }

  async #oldestMarked(collection: string): Promise<Date | undefined> {
    const [oldest] = await this.#store.find(
      'checkpoint.oldest',
      this.#store.collection<LogDocument>(collection),
      { filter: { pending: true }, projection: { created_at: 1 }, sort: { created_at: 1 }, limit: 1 },
    )
    return oldest?.created_at
  }

  get #collection(): mongo.Collection<CheckpointDocument> {
    return this.#store.collection<CheckpointDocument>(collections.checkpoint)
  }
}

import { uuidv7 } from '@bigtech/contracts'
import type { mongo } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { collections, type MessageDocument, toRecord } from '../log/documents.ts'
import type { MessageRecord } from '../message.ts'

interface BackfillDocument {
  /** Name of the index. */
  readonly _id: string
  /** Messages up to this id are indexed. */
  readonly after: string
  readonly done: boolean
  readonly lease_id: string | null
  readonly lease_until: Date
}

const stateCollection = 'search_state'
/** The index of former releases, one document per message, and its state. */
const former = { collection: 'search_entries', state: 'backfill' }
const LEASE_MS = 30_000
const DUPLICATE_KEY = 11_000

/** Progress of the backfill of the search index. */
export class SearchBackfillRepository {
  readonly #store: MongoStore
  readonly #name: string
  readonly #leaseId = uuidv7()

  /** @param name of the index that is filled */
  constructor(store: MongoStore, name = 'blocks') {
    this.#store = store
    this.#name = name
  }

  /** Claims the backfill. Returns the position to continue from; `done`, or `busy` while another process runs it. */
  async claim(): Promise<{ after: string } | 'done' | 'busy'> {
    const state = await this.#store.run('search.backfill_claim', () =>
      this.#state.findOneAndUpdate(
        {
          _id: this.#name,
          done: false,
          $or: [{ lease_id: this.#leaseId }, { lease_until: { $lt: new Date() } }],
        },
        { $set: this.#lease() },
        { returnDocument: 'after' },
      ),
    )
    if (state) return { after: state.after }
    const known = await this.#store.run('search.backfill_state', () =>
      this.#state.findOne({ _id: this.#name }),
    )
    if (known) return known.done ? 'done' : 'busy'
    await this.#create()
    return this.claim()
  }

  /** Stores the progress and renews the lease. Returns false when another process holds the lease. */
  async advance(after: string, done: boolean): Promise<boolean> {
    const { matchedCount } = await this.#store.run('search.backfill_advance', () =>
      this.#state.updateOne(
        { _id: this.#name, lease_id: this.#leaseId },
        { $set: { after, done, ...this.#lease() } },
      ),
    )
    return matchedCount === 1
  }

  /** Restarts the backfill, even if another process runs it. */
  async restart(): Promise<void> {
    await this.#store.run('search.backfill_restart', () =>
      this.#state.updateOne(
        { _id: this.#name },
        { $set: { after: '', done: false, ...this.#lease() } },
        { upsert: true },
      ),
    )
  }

  /** Removes the index of former releases, with its state: a rollback to one of them fills it again. */
  async dropFormer(): Promise<void> {
    await this.#store.run('search.drop_former', () => this.#state.deleteOne({ _id: former.state }))
    await this.#store.run('search.drop_former', () => this.#store.collection(former.collection).drop())
  }

  /** Returns messages of all rooms ordered by id. */
  async messagesAfter(id: string, limit: number): Promise<MessageRecord[]> {
    const messages = this.#store.collection<MessageDocument>(collections.messages)
    const docs = await this.#store.find('search.messages', messages, {
      filter: { _id: { $gt: id } },
      sort: { _id: 1 },
      limit,
    })
    return docs.map(toRecord)
  }

  #lease() {
    return { lease_id: this.#leaseId, lease_until: new Date(Date.now() + LEASE_MS) }
  }

  async #create(): Promise<void> {
    const first: BackfillDocument = {
      _id: this.#name,
      after: '',
      done: false,
      lease_id: null,
      lease_until: new Date(0),
    }
    await this.#store
      .run('search.backfill_create.insert', () => this.#state.insertOne(first))
      .catch((err: unknown) => {
        // Another process was first.
        if ((err as { code?: unknown }).code !== DUPLICATE_KEY) throw err
      })
  }

  get #state(): mongo.Collection<BackfillDocument> {
    return this.#store.collection<BackfillDocument>(stateCollection)
  }
}

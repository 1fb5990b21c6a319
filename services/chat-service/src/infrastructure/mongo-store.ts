import type { StoreMetrics } from '@bigtech/service-kit'
import { Problem, StoreUnavailable } from '@bigtech/service-kit'
import { classifyStoreError } from '@bigtech/stores'
import type { Connection, Model, mongo, Schema } from 'mongoose'

/** Which documents, in which order, and how many of them at most. */
export interface FindOptions<Document extends mongo.Document> {
  readonly filter: mongo.Filter<Document>
  readonly projection?: Readonly<Record<string, 0 | 1>>
  readonly sort?: Readonly<Record<string, 1 | -1>>
  /** At least 1. */
  readonly limit: number
}

/** A caller hears 503 within 2 s, also from a server that took the connection and says nothing. */
const DEADLINE_MS = 1_400
const CONFLICT_RETRIES = 8

/** MongoDB for the repositories: bounded in time, measured, outages as StoreUnavailable. */
export class MongoStore {
  readonly #connection: Connection
  readonly #metrics: StoreMetrics

  constructor(connection: Connection, metrics: StoreMetrics) {
    this.#connection = connection
    this.#metrics = metrics
  }

  /** @throws StoreUnavailable as long as MongoDB has never been there. */
  collection<Document extends mongo.Document>(name: string): mongo.Collection<Document> {
    const { db } = this.#connection
    if (!db) throw new StoreUnavailable('mongodb', new Error('not connected yet'))
    return db.collection<Document>(name) as unknown as mongo.Collection<Document>
  }

  /**
   * Returns the model of a collection. Its filters are sanitized: an operator that is not `trusted` is compared with
   * as a value, and values are cast to the type of the schema.
   *
   * @throws StoreUnavailable as long as MongoDB has never been there.
   */
  model<Document>(name: string, schema: Schema): Model<Document> {
    if (!this.#connection.db) throw new StoreUnavailable('mongodb', new Error('not connected yet'))
    return (this.#connection.models[name] ?? this.#connection.model(name, schema, name)) as never
  }

  /**
   * Reads documents. Every read of more than one document goes through here, so that none is unbounded.
   *
   * @param operation from a fixed set of names: it is a label.
   * @throws RangeError for a limit below 1, because MongoDB takes 0 for "no limit".
   */
  async find<Document extends mongo.Document, Shape extends mongo.Document = Document>(
    operation: string,
    source: mongo.Collection<Document> | Model<Document>,
    { filter, projection, sort, limit }: FindOptions<Document>,
  ): Promise<Shape[]> {
    if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`${operation}: no limit of ${limit}`)
    const options = { limit, ...(projection ? { projection } : {}), ...(sort ? { sort } : {}) }
    if ('schema' in source) {
      return this.run(operation, () =>
        source
          .find(filter as never, projection, { limit, ...(sort ? { sort } : {}) })
          .lean<Shape[]>()
          .exec(),
      )
    }
    return this.run(operation, () => source.find<Shape>(filter, options).toArray())
  }

  /** @param operation from a fixed set of names: it is a label. */
  async run<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
    // What lost a race inside the server was not done at all. The logs decide about their own inserts.
    const repeats = operation.endsWith('.insert') ? 0 : CONFLICT_RETRIES
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#metrics.measure('mongodb', operation, () => withDeadline(work()))
      } catch (err) {
        if (attempt < repeats && classifyStoreError(err) === 'conflict') {
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * (attempt + 1)))
          continue
        }
        if (err instanceof Problem || !isOutage(err)) throw err
        throw new StoreUnavailable('mongodb', err)
      }
    }
  }
}

/** Errors that say nothing about whether the write happened. */
export function isOutage(err: unknown): boolean {
  if (err instanceof StoreUnavailable || classifyStoreError(err) === 'unavailable') return true
  const { name = '', code } = (err ?? {}) as { name?: string; code?: unknown }
  // What the server refuses has a code; without one the bulk write never had an answer.
  if (name === 'MongoBulkWriteError' && code === undefined) return true
  return /^Mongo(OperationTimeout|NotConnected|TopologyClosed|Pool|Network|ServerSelection|ExpiredSession|WriteConcern)/.test(
    name,
  )
}

async function withDeadline<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    // Made only when it is needed: an error with its stack is a good part of what a short call costs.
    const silent = () => new StoreUnavailable('mongodb', new Error(`no answer within ${DEADLINE_MS} ms`))
    timer = setTimeout(() => reject(silent()), DEADLINE_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

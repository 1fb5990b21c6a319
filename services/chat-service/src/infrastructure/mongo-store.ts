import type { StoreMetrics } from '@bigtech/service-kit'
import { Problem, StoreUnavailable } from '@bigtech/service-kit'
import { classifyStoreError } from '@bigtech/stores'
import { type Connection, type Model, mongo, type Schema } from 'mongoose'

/** Filter, order and maximum number of the documents of a query. */
export interface FindOptions<Document extends mongo.Document> {
  readonly filter: mongo.Filter<Document>
  readonly projection?: Readonly<Record<string, 0 | 1>>
  readonly sort?: Readonly<Record<string, 1 | -1>>
  /** At least 1. */
  readonly limit: number
  /** Name of the index to use. */
  readonly hint?: string
}

/** Callers get 503 within 2 s even from a server that accepts the connection and never responds. */
const DEADLINE_MS = 1_400
const CONFLICT_RETRIES = 8
/** The primary changes or shuts down: NotWritablePrimary, ShutdownInProgress, PrimarySteppedDown and their relatives. */
const FAILOVER_CODES = new Set<unknown>([91, 189, 10_058, 10_107, 11_600, 11_602, 13_435, 13_436])

/** MongoDB for the repositories: bounded in time, measured, with outages as StoreUnavailable. */
export class MongoStore {
  readonly #connection: Connection
  readonly #metrics: StoreMetrics

  constructor(connection: Connection, metrics: StoreMetrics) {
    this.#connection = connection
    this.#metrics = metrics
  }

  /** Returns a collection. @throws StoreUnavailable until MongoDB has been connected once */
  collection<Document extends mongo.Document>(name: string): mongo.Collection<Document> {
    return this.#db.collection<Document>(name)
  }

  get #db(): mongo.Db {
    const { db } = this.#connection
    if (!db) throw new StoreUnavailable('mongodb', new Error('not connected yet'))
    return db as unknown as mongo.Db
  }

  /**
   * Returns the model of a collection. Its filters are sanitized: an operator not marked as `trusted` is
   * compared as a value, and values are cast to the schema's types.
   *
   * @throws StoreUnavailable until MongoDB has been connected once
   */
  model<Document>(name: string, schema: Schema): Model<Document> {
    if (!this.#connection.db) throw new StoreUnavailable('mongodb', new Error('not connected yet'))
    return (this.#connection.models[name] ?? this.#connection.model(name, schema, name)) as never
  }

  /**
   * Reads documents. Every read of more than one document goes through this method, so that none is
   * unbounded.
   *
   * @param operation a constant name, because it becomes a label
   * @throws RangeError for a limit below 1, which MongoDB treats as "no limit"
   */
  async find<Document extends mongo.Document, Shape extends mongo.Document = Document>(
    operation: string,
    source: mongo.Collection<Document> | Model<Document>,
    { filter, projection, sort, limit, hint }: FindOptions<Document>,
  ): Promise<Shape[]> {
    if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`${operation}: no limit of ${limit}`)
    const order = { limit, ...(sort ? { sort } : {}), ...(hint ? { hint } : {}) }
    const options = { ...order, ...(projection ? { projection } : {}) }
    if ('schema' in source) {
      return this.run(operation, () =>
        source
          .find(filter as never, projection, order)
          .lean<Shape[]>()
          .exec(),
      )
    }
    return this.run(operation, () => source.find<Shape>(filter, options).toArray())
  }

  /**
   * Inserts documents durably, in order up to the first that is rejected. A plain command: the driver's bulk write costs a third more CPU.
   * The driver does not retry it after a failover, so callers must find out what is stored.
   *
   * @throws MongoServerError for the rejected document; StoreUnavailable when it is unknown what is stored
   */
  async insertInOrder(
    operation: string,
    collection: string,
    documents: readonly mongo.Document[],
  ): Promise<void> {
    const command = { insert: collection, ordered: true, documents, writeConcern: { w: 'majority', j: true } }
    await this.run(operation, async () => {
      const { writeErrors } = await this.#db.command(command)
      if (writeErrors?.length > 0) throw new mongo.MongoServerError(writeErrors[0])
    })
  }

  /** Runs an operation with deadline and metrics. @param operation a constant name, because it becomes a label */
  async run<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
    // An operation that lost a race inside the server had no effect and is retried. The logs retry their own
    // inserts.
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

/** The server rejects our account, which no request can change: Unauthorized, AuthenticationFailed. */
const accountErrors: readonly unknown[] = [13, 18]

/** Returns true for errors that leave open whether the write happened, and for a server that rejects our account. */
export function isOutage(err: unknown): boolean {
  if (err instanceof StoreUnavailable || classifyStoreError(err) === 'unavailable') return true
  const { name = '', code } = (err ?? {}) as { name?: string; code?: unknown }
  if (FAILOVER_CODES.has(code)) return true
  if (accountErrors.includes(code)) return true
  // A server-side rejection has a code; without one the bulk write got no response.
  if (name === 'MongoBulkWriteError' && code === undefined) return true
  return /^Mongo(OperationTimeout|NotConnected|TopologyClosed|Pool|Network|ServerSelection|ExpiredSession|WriteConcern)/.test(
    name,
  )
}

async function withDeadline<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    // Created lazily: an error with its stack is a large part of the cost of a short call.
    const silent = () => new StoreUnavailable('mongodb', new Error(`no response within ${DEADLINE_MS} ms`))
    timer = setTimeout(() => reject(silent()), DEADLINE_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

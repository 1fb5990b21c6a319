import { AsyncLocalStorage } from 'node:async_hooks'
import { Problem, StoreUnavailable } from '@bigtech/service-kit'

/** A queued write. The first of `resolve` and `reject` settles the caller's promise. */
export interface QueuedWrite<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

interface Entry<Item, Result> extends QueuedWrite<Item, Result> {
  /**
   * Runs work in the log and trace context of the request. Undefined for a request that joins the batch of an earlier one: capturing a
   * context costs as much as the rest of the queue.
   */
  readonly inContext: (<Value>(work: () => Value) => Value) | undefined
  /** The deadline has passed and the caller is gone. */
  abandoned: boolean
}

export interface RoomWriteQueueOptions<Item, Result> {
  /**
   * Writes a batch of one room and settles the decided writes. Returns the writes to retry immediately; a
   * rejection fails the whole batch.
   */
  readonly write: (
    roomId: number,
    batch: readonly QueuedWrite<Item, Result>[],
  ) => Promise<readonly QueuedWrite<Item, Result>[]>
  readonly maxBatch: number
  readonly maxWaitingInRoom: number
  /** In bytes; a batch ends with the write that reaches `maxBatchBytes`. */
  readonly sizeOf?: (item: Item) => number
}

const DEADLINE_MS = 1_700
const MAX_BATCH_BYTES = 1024 * 1024
const MAX_WAITING = 5_000

/**
 * Writes to rooms, one batch at a time per room. Writes queued during a batch form the next batch: one
 * durable write for all of them.
 */
export class RoomWriteQueue<Item, Result> {
  readonly #options: RoomWriteQueueOptions<Item, Result>
  /** Rooms with queued or in-flight writes. */
  readonly #waiting = new Map<number, Entry<Item, Result>[]>()
  #waitingInAll = 0

  constructor(options: RoomWriteQueueOptions<Item, Result>) {
    this.#options = options
  }

  /**
   * Resolves to the result of the write.
   *
   * @throws Problem OVERLOADED when too many writes are queued; StoreUnavailable after 1.7 s, when the write
   * may or may not be stored
   */
  async add(roomId: number, item: Item): Promise<Result> {
    const waiting = this.#waiting.get(roomId) ?? []
    if (waiting.length >= this.#options.maxWaitingInRoom || this.#waitingInAll >= MAX_WAITING)
      throw new Problem('OVERLOADED', { retryAfterSeconds: 1 })
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const timer = setTimeout(() => {
      entry.abandoned = true
      reject(new StoreUnavailable('mongodb', new Error('not stored in time')))
    }, DEADLINE_MS)
    const entry: Entry<Item, Result> = {
      item,
      resolve: (result) => {
        clearTimeout(timer)
        resolve(result)
      },
      reject: (error) => {
        clearTimeout(timer)
        reject(error)
      },
      inContext: waiting.length % this.#options.maxBatch === 0 ? AsyncLocalStorage.snapshot() : undefined,
      abandoned: false,
    }
    waiting.push(entry)
    this.#waitingInAll++
    if (!this.#waiting.has(roomId)) {
      this.#waiting.set(roomId, waiting)
      void this.#drain(roomId, waiting)
    }
    return promise
  }

  async #drain(roomId: number, waiting: Entry<Item, Result>[]): Promise<void> {
    // Writes arriving in the same turn of the event loop share a batch.
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.length > 0) {
      const batch = this.#nextBatch(waiting)
      const [first] = batch
      if (first?.inContext) await first.inContext(() => this.#write(roomId, batch))
      else await this.#write(roomId, batch)
    }
    this.#waiting.delete(roomId)
  }

  #nextBatch(waiting: Entry<Item, Result>[]): Entry<Item, Result>[] {
    const { maxBatch, sizeOf } = this.#options
    const batch: Entry<Item, Result>[] = []
    for (let bytes = 0; waiting.length > 0 && batch.length < maxBatch && bytes < MAX_BATCH_BYTES; ) {
      const entry = waiting.shift()!
      this.#waitingInAll--
      if (entry.abandoned) continue
      batch.push(entry)
      bytes += sizeOf?.(entry.item) ?? 0
    }
    return batch
  }

  async #write(roomId: number, batch: Entry<Item, Result>[]): Promise<void> {
    let rest = batch
    try {
      while (rest.length > 0) {
        const again = new Set(await this.#options.write(roomId, rest))
        rest = rest.filter((entry) => again.has(entry) && !entry.abandoned)
      }
    } catch (err) {
      for (const { reject } of rest) reject(err)
    }
  }
}

/** Resolves after 0 to 20 ms; for retries after a lost race inside the database. */
export function shortPause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
}

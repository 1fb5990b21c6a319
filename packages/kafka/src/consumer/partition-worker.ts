import type { RecordBatch, StoredRecord } from '../driver/port.ts'

export interface WorkerOptions {
  readonly topic: string
  readonly partition: number
  /** Settles when the in-flight records of previous workers of this partition are finished. */
  readonly after: Promise<unknown>
  /** Resolves to the number of finished records, from the first one on; 0 when aborted. Never rejects. */
  readonly process: (records: readonly StoredRecord[], worker: PartitionWorker) => Promise<number>
  /** Called with the last finished record. */
  readonly onDone: (record: StoredRecord) => void
  readonly setPaused: (paused: boolean) => void
  /** Skips records before this offset. */
  readonly startOffset?: number
}

/** Fetching pauses above the high-water mark of queued records and resumes below the low-water mark. */
const HIGH_WATER = 400
const LOW_WATER = 100
/** Bounds the locks and the duration of a transaction. */
const MAX_TOGETHER = 100

/** Handles the records of one partition in order, independently of the other partitions. */
export class PartitionWorker {
  readonly topic: string
  readonly partition: number
  readonly #options: WorkerOptions
  readonly #abort = new AbortController()
  #queue: StoredRecord[] = []
  #lastQueued = -1
  #running: Promise<unknown>
  #active = false
  #paused = false
  #holding = false

  constructor(options: WorkerOptions) {
    this.#options = options
    this.topic = options.topic
    this.partition = options.partition
    this.#running = options.after
    this.#lastQueued = (options.startOffset ?? 0) - 1
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Settles when the in-flight records are finished. */
  get settled(): Promise<unknown> {
    return this.#running
  }

  /** Returns the first offset not yet queued. */
  get nextOffset(): number {
    return this.#lastQueued + 1
  }

  /**
   * Restores the pause state on the consumer: a new consumer does not know it, an old one may have that of
   * another worker.
   */
  reassert(): void {
    this.#options.setPaused(this.#paused)
  }

  /** Queues the new records of a batch; after a rebalance the fetch restarts at the last commit. */
  enqueue(batch: RecordBatch): void {
    if (this.signal.aborted) return
    // A log that ends before the last queued offset is a new log: the topic was deleted and recreated.
    if (batch.highWatermark <= this.#lastQueued) this.#lastQueued = -1
    for (const record of batch.records) {
      if (record.offset <= this.#lastQueued) continue
      this.#lastQueued = record.offset
      this.#queue.push(record)
    }
    this.#regulate()
    if (!this.#active) this.#running = this.#run(this.#running)
  }

  /** Pauses or resumes fetching while the current record waits for a retry. */
  hold(holding: boolean): void {
    this.#holding = holding
    this.#regulate()
  }

  /** Stops after the current records, because the partition was revoked or the process stops. */
  drop(): void {
    this.#abort.abort()
    this.#queue = []
  }

  async #run(before: Promise<unknown>): Promise<void> {
    this.#active = true
    await before.catch(() => {})
    while (this.#queue.length > 0 && !this.signal.aborted) {
      const records = this.#queue.slice(0, MAX_TOGETHER)
      const finished = await this.#options.process(records, this)
      if (finished === 0) break
      this.#queue.splice(0, finished)
      this.#options.onDone(records[finished - 1]!)
      this.#regulate()
    }
    this.#active = false
  }

  #regulate(): void {
    if (this.signal.aborted) return
    const limit = this.#paused ? LOW_WATER : HIGH_WATER
    const paused = this.#holding || this.#queue.length > limit
    if (paused === this.#paused) return
    this.#paused = paused
    this.#options.setPaused(paused)
  }
}

import type { RecordBatch, StoredRecord } from '../driver/port.ts'

export interface WorkerOptions {
  readonly topic: string
  readonly partition: number
  /** Records of this partition still running in a worker before this one. */
  readonly after: Promise<unknown>
  /** Resolves to whether the record is done with; false when it was aborted. Never rejects. */
  readonly process: (record: StoredRecord, worker: PartitionWorker) => Promise<boolean>
  readonly onDone: (record: StoredRecord) => void
  readonly setPaused: (paused: boolean) => void
  /** Records before it are skipped. */
  readonly startOffset?: number
}

/** Above this many waiting records the partition is not fetched any more, below the other it is again. */
const HIGH_WATER = 400
const LOW_WATER = 100

/** Handles the records of one partition sequentially, independently of the other partitions. */
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

  /** Settles when the record in hand is finished. */
  get settled(): Promise<unknown> {
    return this.#running
  }

  /** The first offset that was not taken yet. */
  get nextOffset(): number {
    return this.#lastQueued + 1
  }

  /** Tells the consumer again what it may fetch: a new one does not know, an old one may remember another worker. */
  reassert(): void {
    this.#options.setPaused(this.#paused)
  }

  /** Takes what is new of a batch; after a rebalance the fetch starts again at the last commit. */
  enqueue(batch: RecordBatch): void {
    if (this.signal.aborted) return
    // A log that ends before the last offset read is a new log: the topic was deleted and recreated.
    if (batch.highWatermark <= this.#lastQueued) this.#lastQueued = -1
    for (const record of batch.records) {
      if (record.offset <= this.#lastQueued) continue
      this.#lastQueued = record.offset
      this.#queue.push(record)
    }
    this.#regulate()
    if (!this.#active) this.#running = this.#run(this.#running)
  }

  /** Stops fetching the partition while its record has to wait. */
  hold(holding: boolean): void {
    this.#holding = holding
    this.#regulate()
  }

  /** The partition is another's, or the process stops: nothing new is begun. */
  drop(): void {
    this.#abort.abort()
    this.#queue = []
  }

  async #run(before: Promise<unknown>): Promise<void> {
    this.#active = true
    await before.catch(() => {})
    while (this.#queue.length > 0 && !this.signal.aborted) {
      const record = this.#queue.shift()!
      const done = await this.#options.process(record, this)
      if (!done) break
      this.#options.onDone(record)
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

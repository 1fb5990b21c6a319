import type { WireRecord } from '../driver/port.ts'
import { KafkaUnavailable } from '../errors.ts'
import { isRejected } from './producer-slot.ts'

const MAX_BATCH_RECORDS = 500
/** Below Kafka's default `max.message.bytes` of 1 MiB, which limits a whole batch. */
const MAX_BATCH_BYTES = 900_000

interface Waiting {
  readonly record: WireRecord
  readonly bytes: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * The queue of one partition: one call in flight; records queued meanwhile go with the next call.
 *
 * A failed call fails the whole queue: a later record of a key would otherwise overtake the failed one,
 * which its caller is about to publish again.
 */
export class Lane {
  readonly #send: (records: readonly WireRecord[]) => Promise<void>
  #line: Waiting[] = []
  #busy = false

  constructor(send: (records: readonly WireRecord[]) => Promise<void>) {
    this.#send = send
  }

  get idle(): boolean {
    return !this.#busy && this.#line.length === 0
  }

  /** Resolves when the record is stored. Rejects after `timeoutMs` at the latest. */
  publish(record: WireRecord, bytes: number, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        // An in-flight record cannot be cancelled, and the queue waits for it: later records stay later.
        this.#line = this.#line.filter((other) => other !== waiting)
        reject(new KafkaUnavailable(`not acknowledged within ${timeoutMs} ms`))
      }, timeoutMs)
      const waiting: Waiting = {
        record,
        bytes,
        resolve: () => {
          clearTimeout(timer)
          resolve()
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      }
      this.#line.push(waiting)
      if (!this.#busy) void this.#drain()
    })
  }

  async #drain(): Promise<void> {
    this.#busy = true
    // Lets the caller's other records join the first call.
    await Promise.resolve()
    while (this.#line.length > 0) await this.#sendNext()
    this.#busy = false
  }

  async #sendNext(): Promise<void> {
    const batch = this.#takeBatch()
    try {
      await this.#send(batch.map((waiting) => waiting.record))
      for (const waiting of batch) waiting.resolve()
    } catch (error) {
      if (isRejected(error)) await this.#sendOneByOne(batch, error)
      else this.#failAll(batch, error as Error)
    }
  }

  /** Retries a refused batch record by record, so that only the refused record fails. */
  async #sendOneByOne(batch: Waiting[], refusal: Error): Promise<void> {
    if (batch.length === 1) {
      batch[0]!.reject(refusal)
      return
    }
    for (const [index, waiting] of batch.entries()) {
      try {
        await this.#send([waiting.record])
        waiting.resolve()
      } catch (error) {
        if (!isRejected(error)) {
          this.#failAll(batch.slice(index), error as Error)
          return
        }
        waiting.reject(error)
      }
    }
  }

  #failAll(batch: readonly Waiting[], error: Error): void {
    const line = this.#line
    this.#line = []
    for (const waiting of [...batch, ...line]) waiting.reject(error)
  }

  #takeBatch(): Waiting[] {
    let bytes = 0
    let count = 0
    while (count < this.#line.length && count < MAX_BATCH_RECORDS) {
      bytes += this.#line[count]!.bytes
      if (count > 0 && bytes > MAX_BATCH_BYTES) break
      count++
    }
    return this.#line.splice(0, count)
  }
}

import type { KafkaDriver, ProducerPort, WireRecord } from '../driver/port.ts'
import { RecordRejected } from '../errors.ts'

interface Generation {
  readonly producer: Promise<ProducerPort>
  inFlight: number
  retired: boolean
}

/**
 * Holds the current producer and replaces it after every failed send.
 *
 * Why every one: the idempotent producer gives a failed batch's sequence numbers to the next batch.
 * Had the broker stored the failed one after all, it would take the next for its duplicate and
 * acknowledge it without storing it. A new producer has a new id, so nothing can be mistaken.
 */
export class ProducerSlot {
  readonly #driver: KafkaDriver
  readonly #onPartitionCount: (topic: string, count: number) => void
  #current: Generation | undefined

  constructor(driver: KafkaDriver, onPartitionCount: (topic: string, count: number) => void) {
    this.#driver = driver
    this.#onPartitionCount = onPartitionCount
  }

  async send(topic: string, partition: number, records: readonly WireRecord[]): Promise<void> {
    const generation = this.#acquire()
    generation.inFlight++
    try {
      await (await generation.producer).send(topic, partition, records)
    } catch (error) {
      // A refused record was never given a place in the log, but its sequence numbers are reused all the same.
      this.#retire(generation)
      throw error
    } finally {
      generation.inFlight--
      this.#closeIfDone(generation)
    }
  }

  /** Closes what is open; sends in flight fail. */
  async close(): Promise<void> {
    const generation = this.#current
    if (!generation) return
    this.#current = undefined
    await generation.producer.then((producer) => producer.close()).catch(() => {})
  }

  #acquire(): Generation {
    this.#current ??= {
      producer: this.#driver.openProducer(this.#onPartitionCount),
      inFlight: 0,
      retired: false,
    }
    return this.#current
  }

  #retire(generation: Generation): void {
    generation.retired = true
    if (this.#current === generation) this.#current = undefined
  }

  #closeIfDone(generation: Generation): void {
    if (!generation.retired || generation.inFlight > 0) return
    void generation.producer.then((producer) => producer.close()).catch(() => {})
  }
}

/** Whether the broker refused a record itself, so that the others of its batch may be tried alone. */
export function isRejected(error: unknown): error is RecordRejected {
  return error instanceof RecordRejected
}

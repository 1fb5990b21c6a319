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
 * An idempotent producer reuses a failed batch's sequence numbers for the next batch. If the broker stored
 * the failed batch after all, it would treat the next one as a duplicate and acknowledge it without storing
 * it. A new producer has a new id, which rules this out.
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
      // A refused record was never stored, but its sequence numbers are reused all the same.
      this.#retire(generation)
      throw error
    } finally {
      generation.inFlight--
      this.#closeIfDone(generation)
    }
  }

  /** Closes the producers; in-flight sends fail. */
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

/** Returns whether the broker refused a record itself, so that the other records of its batch can be retried alone. */
export function isRejected(error: unknown): error is RecordRejected {
  return error instanceof RecordRejected
}

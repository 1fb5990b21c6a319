import type { EventDefinition, EventMeta } from '@bigtech/contracts'
import { KafkaUnavailable, RecordRejected } from '../errors.ts'
import type { KafkaConnection } from '../kafka.ts'
import { partitionFor } from '../partitioner.ts'
import { eventRecord, type KafkaRecord } from '../record.ts'
import { settledWithin, within } from '../timing.ts'
import { tracePublish } from '../tracing.ts'
import { Lane } from './lane.ts'
import { ProducerSlot } from './producer-slot.ts'

/** The outcome of one record: `undefined` means stored on every in-sync replica. */
export type PublishOutcome = KafkaUnavailable | RecordRejected | undefined

export interface PublisherOptions {
  readonly kafka: KafkaConnection
  /** Rejects with KafkaUnavailable after this time. Default 10 s. */
  readonly timeoutMs?: number
  /** Larger records are rejected without a request. Default 900,000. */
  readonly maxRecordBytes?: number
}

export interface Publisher {
  /** Resolves when all records are stored; rejects with the first failure. */
  publish(records: readonly KafkaRecord[]): Promise<void>
  /**
   * Returns the outcome of each record, in order. Stores the records of one key in this order; when Kafka is
   * unavailable for one of them, no later record of the key is stored.
   */
  publishEach(records: readonly KafkaRecord[]): Promise<PublishOutcome[]>
  /** Publishes an event without an outbox; only for events whose loss is harmless (presence, typing). */
  publishEvent<Payload extends object>(
    definition: EventDefinition<string, Payload>,
    payload: Payload,
    meta: EventMeta,
  ): Promise<void>
  /** Waits up to 5 s for in-flight records, then disconnects. */
  stop(): Promise<void>
}

const STOP_TIMEOUT_MS = 5_000
const RECORD_OVERHEAD_BYTES = 100

/** @param options.kafka its clientId names the source in the events' headers. */
export function createPublisher(options: PublisherOptions): Publisher {
  const { kafka, timeoutMs = 10_000, maxRecordBytes = 900_000 } = options
  const partitionCounts = new Map<string, number>()
  const lanes = new Map<string, Lane>()
  const inFlight = new Set<Promise<unknown>>()
  let entrance: Promise<unknown> = Promise.resolve()
  const slot = new ProducerSlot(kafka.driver, (topic, count) => partitionCounts.set(topic, count))

  async function partitionCount(topic: string): Promise<number> {
    const known = partitionCounts.get(topic)
    if (known) return known
    const unavailable = () => new KafkaUnavailable('Kafka does not respond')
    const count = await within(kafka.driver.admin.partitionCount(topic), timeoutMs, unavailable)
    if (count === 0) throw new KafkaUnavailable(`topic ${topic} has no partitions`)
    partitionCounts.set(topic, count)
    return count
  }

  function laneOf(topic: string, partition: number): Lane {
    const name = `${topic}/${partition}`
    let lane = lanes.get(name)
    if (!lane) {
      lane = new Lane((records) => slot.send(topic, partition, records))
      lanes.set(name, lane)
    }
    return lane
  }

  async function publishOne(record: KafkaRecord): Promise<void> {
    const bytes = recordBytes(record)
    if (bytes > maxRecordBytes)
      throw new RecordRejected(`${bytes} bytes, exceeding the limit of ${maxRecordBytes}`)
    const topic = kafka.topicPrefix + record.topic
    const count = partitionCounts.get(topic)!
    const partition = record.key === null ? 0 : partitionFor(record.key, count)
    await tracePublish(record, (headers) =>
      laneOf(topic, partition).publish({ key: record.key, value: record.value, headers }, bytes, timeoutMs),
    )
  }

  /**
   * Resolves in the order of the calls, so that a call with cached topics cannot overtake an earlier call
   * that still looks them up. Returns the topics whose lookup failed.
   */
  function enter(records: readonly KafkaRecord[]): Promise<Map<string, PublishOutcome>> {
    const topics = [...new Set(records.map((record) => kafka.topicPrefix + record.topic))]
    const turn = entrance.then(async () => {
      const failures = await Promise.all(
        topics.map((topic) => partitionCount(topic).then(() => undefined, toOutcome)),
      )
      return new Map(topics.map((topic, index) => [topic, failures[index]]))
    })
    entrance = turn
    return turn
  }

  async function enterAndPublish(records: readonly KafkaRecord[]): Promise<PublishOutcome[]> {
    const failures = await enter(records)
    // No await between here and the queues: the records keep their order.
    return Promise.all(
      records.map(
        (record) =>
          failures.get(kafka.topicPrefix + record.topic) ??
          publishOne(record).then(() => undefined, toOutcome),
      ),
    )
  }

  function publishEach(records: readonly KafkaRecord[]): Promise<PublishOutcome[]> {
    if (records.length === 0) return Promise.resolve([])
    const outcomes = enterAndPublish(records)
    inFlight.add(outcomes)
    return outcomes.finally(() => inFlight.delete(outcomes))
  }

  async function publish(records: readonly KafkaRecord[]): Promise<void> {
    const failure = (await publishEach(records)).find((outcome) => outcome !== undefined)
    if (failure) throw failure
  }

  return {
    publish,
    publishEach,
    publishEvent: (definition, payload, meta) =>
      publish([eventRecord(definition, definition.create(payload, meta), kafka.clientId)]),
    stop: async () => {
      await settledWithin(Promise.allSettled(inFlight), STOP_TIMEOUT_MS)
      await settledWithin(slot.close(), STOP_TIMEOUT_MS)
    },
  }
}

function toOutcome(error: unknown): KafkaUnavailable | RecordRejected {
  if (error instanceof RecordRejected || error instanceof KafkaUnavailable) return error
  return new KafkaUnavailable(`not published: ${(error as Error).message}`, { cause: error })
}

function recordBytes(record: KafkaRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + byteLength(record.value) + byteLength(record.key)
  for (const [name, value] of Object.entries(record.headers)) bytes += name.length + Buffer.byteLength(value)
  return bytes
}

function byteLength(data: string | Buffer | null): number {
  return data === null ? 0 : Buffer.byteLength(data)
}

import { uuidv7 } from '@bigtech/contracts'
import type { RecordBatch, StoredRecord } from './driver/port.ts'
import { KafkaUnavailable } from './errors.ts'
import type { KafkaConnection } from './kafka.ts'
import { settledWithin, within } from './timing.ts'

const CLOSE_TIMEOUT_MS = 3_000

/**
 * Reads a topic from its beginning to its current end, without committing anything. For tools and tests:
 * holds the whole topic in memory. The records are in order within a partition.
 *
 * @param topic without the prefix
 */
export function readTopic(
  kafka: KafkaConnection,
  topic: string,
  timeoutMs = 30_000,
): Promise<StoredRecord[]> {
  return read(kafka, topic, timeoutMs, Number.POSITIVE_INFINITY)
}

/** Reads the first retained record of each partition of a topic. */
export function readFirstRecords(kafka: KafkaConnection, topic: string): Promise<StoredRecord[]> {
  return read(kafka, topic, 30_000, 1)
}

async function read(
  kafka: KafkaConnection,
  topic: string,
  timeoutMs: number,
  perPartition: number,
): Promise<StoredRecord[]> {
  const name = kafka.topicPrefix + topic
  const open = new Map<number, { readonly low: number; readonly high: number }>()
  for (const { partition, low, high } of await kafka.driver.admin.offsets(name)) {
    if (low < high) open.set(partition, { low, high: Math.min(high, low + perPartition) })
  }
  if (open.size === 0) return []
  const records: StoredRecord[] = []
  const end = Promise.withResolvers<void>()
  const consumer = kafka.driver.createConsumer({
    groupId: `${kafka.topicPrefix}read.${uuidv7()}`,
    topics: [name],
    startFrom: 'earliest',
    sessionTimeoutMs: 10_000,
    onJoin: () => {
      for (const [partition, { low }] of open) consumer.seek({ topic: name, partition, offset: low })
    },
    onBatch: (batch) => {
      take(batch)
      if (open.size === 0) end.resolve()
    },
    onCrash: end.reject,
    onActivity: () => {},
  })

  function take(batch: RecordBatch): void {
    const range = open.get(batch.partition)
    if (!range) return
    records.push(...batch.records.filter((record) => record.offset < range.high))
    const last = batch.records.at(-1)
    if (last && last.offset + 1 >= range.high) open.delete(batch.partition)
  }

  try {
    const late = () => new KafkaUnavailable(`${name} was not read within ${timeoutMs} ms`)
    await within(Promise.all([consumer.start(), end.promise]), timeoutMs, late)
    return records.map((record) => ({ ...record, topic }))
  } finally {
    await settledWithin(consumer.close(), CLOSE_TIMEOUT_MS)
  }
}

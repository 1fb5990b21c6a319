import { uuidv7 } from '@bigtech/contracts'
import type { PartitionOffset, RecordBatch, StoredRecord } from './driver/port.ts'
import { KafkaUnavailable } from './errors.ts'
import type { KafkaConnection } from './kafka.ts'
import { settledWithin, within } from './timing.ts'

const READ_TIMEOUT_MS = 30_000
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
  timeoutMs = READ_TIMEOUT_MS,
): Promise<StoredRecord[]> {
  return read(kafka, topic, { timeoutMs })
}

/** Reads the first retained record of each partition of a topic. */
export function readFirstRecords(kafka: KafkaConnection, topic: string): Promise<StoredRecord[]> {
  return read(kafka, topic, { perPartition: 1 })
}

/** Reads the first retained record at or after a position of each partition; none at the end of a partition. */
export function readRecordsAt(
  kafka: KafkaConnection,
  topic: string,
  positions: readonly PartitionOffset[],
): Promise<StoredRecord[]> {
  return read(kafka, topic, { perPartition: 1, positions })
}

interface ReadOptions {
  readonly timeoutMs?: number
  readonly perPartition?: number
  /** Reads only these partitions, from there. */
  readonly positions?: readonly PartitionOffset[]
}

async function read(
  kafka: KafkaConnection,
  topic: string,
  { timeoutMs = READ_TIMEOUT_MS, perPartition = Number.POSITIVE_INFINITY, positions }: ReadOptions,
): Promise<StoredRecord[]> {
  const name = kafka.topicPrefix + topic
  const open = new Map<number, { readonly low: number; readonly high: number }>()
  for (const { partition, low: first, high } of await kafka.driver.admin.offsets(name)) {
    const from = positions ? positions.find((each) => each.partition === partition)?.offset : first
    if (from === undefined) continue
    const low = Math.max(first, from)
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

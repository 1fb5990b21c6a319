import { deadLetterTopic } from '@bigtech/contracts'
import type { StoredRecord } from '../driver/port.ts'
import { describeError, RecordRejected } from '../errors.ts'
import type { Publisher } from '../publisher/publisher.ts'
import type { KafkaRecord } from '../record.ts'

/** Headers a dead letter has besides those of the record it was. */
export const deadLetterHeaders = {
  topic: 'dlt_original_topic',
  partition: 'dlt_original_partition',
  offset: 'dlt_original_offset',
  timestamp: 'dlt_original_timestamp',
  group: 'dlt_consumer_group',
  error: 'dlt_error',
  kind: 'dlt_error_kind',
  attempts: 'dlt_attempts',
  firstFailedAt: 'dlt_first_failed_at',
  failedAt: 'dlt_failed_at',
  /** The value did not fit; it is still in the original topic while that keeps it. */
  valueOmitted: 'dlt_value_omitted',
} as const

export interface Failure {
  /** Without the prefix. */
  readonly topic: string
  readonly group: string
  readonly error: unknown
  readonly kind: string
  readonly attempts: number
  readonly firstFailedAt: Date
}

/** The dead letter topic of a topic. */
export function deadLetterTopicOf(topic: string): string {
  return topic + deadLetterTopic.suffix
}

/** Key, value and headers stay as they were, so that a replay is the same event again. */
export function toDeadLetter(record: StoredRecord, failure: Failure): KafkaRecord {
  return {
    topic: deadLetterTopicOf(failure.topic),
    key: record.key,
    value: record.value,
    headers: {
      ...record.headers,
      [deadLetterHeaders.topic]: failure.topic,
      [deadLetterHeaders.partition]: String(record.partition),
      [deadLetterHeaders.offset]: String(record.offset),
      [deadLetterHeaders.timestamp]: new Date(record.timestamp).toISOString(),
      [deadLetterHeaders.group]: failure.group,
      [deadLetterHeaders.error]: describeError(failure.error),
      [deadLetterHeaders.kind]: failure.kind,
      [deadLetterHeaders.attempts]: String(failure.attempts),
      [deadLetterHeaders.firstFailedAt]: failure.firstFailedAt.toISOString(),
      [deadLetterHeaders.failedAt]: new Date().toISOString(),
    },
  }
}

/** Stores a dead letter, without its value if that makes it too large. Rejects with KafkaUnavailable. */
export async function publishDeadLetter(publisher: Publisher, letter: KafkaRecord): Promise<void> {
  try {
    await publisher.publish([letter])
  } catch (error) {
    if (!(error instanceof RecordRejected)) throw error
    const headers = { ...letter.headers, [deadLetterHeaders.valueOmitted]: 'true' }
    await publisher.publish([{ ...letter, value: null, headers }])
  }
}

import { deadLetterTopic } from '@bigtech/contracts'
import type { StoredRecord } from '../driver/port.ts'
import { describeError, RecordRejected } from '../errors.ts'
import type { Publisher } from '../publisher/publisher.ts'
import type { KafkaRecord } from '../record.ts'

/** Headers that a dead letter has in addition to those of the original record. */
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
  /** Set when the value was too large; it remains in the original topic until its retention ends. */
  valueOmitted: 'dlt_value_omitted',
} as const

export interface Failure {
  /** Without the topic prefix. */
  readonly topic: string
  readonly group: string
  readonly error: unknown
  readonly kind: string
  readonly attempts: number
  readonly firstFailedAt: Date
}

/** Returns the name of a topic's dead-letter topic. */
export function deadLetterTopicOf(topic: string): string {
  return topic + deadLetterTopic.suffix
}

/**
 * Converts a failed record into a dead letter. Key, value and headers are unchanged, so that a replay is the
 * same event.
 */
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

/** Publishes a dead letter, omitting the value if the record would be too large. Rejects with KafkaUnavailable. */
export async function publishDeadLetter(publisher: Publisher, letter: KafkaRecord): Promise<void> {
  try {
    await publisher.publish([letter])
  } catch (error) {
    if (!(error instanceof RecordRejected)) throw error
    const headers = { ...letter.headers, [deadLetterHeaders.valueOmitted]: 'true' }
    await publisher.publish([{ ...letter, value: null, headers }])
  }
}

import type { ProducerRecord, RecordMetadata } from 'kafkajs'
import { KafkaUnavailable, RecordRejected } from '../errors.ts'
import type { ProducerPort } from './port.ts'
import { METADATA_MAX_AGE_MS, type NewClient, retryOptions } from './settings.ts'

const ACK_TIMEOUT_MS = 5_000

/** About 14 s of retries: longer than a leader election. */
const SEND_RETRY = retryOptions(30)

const REJECTED = new Set<unknown>([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
])

export async function openProducer(
  newClient: NewClient,
  onPartitionCount: (topic: string, count: number) => void,
): Promise<ProducerPort> {
  const producer = newClient(retryOptions(3)).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    retry: SEND_RETRY,
    createPartitioner:
      () =>
      ({ topic, partitionMetadata, message }) => {
        onPartitionCount(topic, partitionMetadata.length)
        return message.partition ?? 0
      },
  })
  try {
    await producer.connect()
  } catch (error) {
    await producer.disconnect().catch(() => {})
    throw toPublishError(error)
  }
  return {
    async send(topic, partition, records) {
      const messages = records.map((record) => ({ ...record, headers: { ...record.headers }, partition }))
      const result = await sendOnce({ topic, messages, acks: -1, timeout: ACK_TIMEOUT_MS })
      // The client can resolve although a partition was not stored; its entry is then missing.
      const own = result.find((entry) => entry.topicName === topic && entry.partition === partition)
      if (own?.errorCode !== 0) throw new KafkaUnavailable(`no acknowledgement of ${topic}/${partition}`)
    },
    close: () => producer.disconnect(),
  }

  async function sendOnce(request: ProducerRecord): Promise<RecordMetadata[]> {
    try {
      return await producer.send(request)
    } catch (error) {
      throw toPublishError(error)
    }
  }
}

function toPublishError(error: unknown): Error {
  for (let current = error as { type?: unknown; cause?: unknown } | undefined; current; ) {
    if (REJECTED.has(current.type)) return new RecordRejected(String(current.type), { cause: error })
    current = current.cause as typeof current
  }
  const reason = error instanceof Error ? error.message : String(error)
  return new KafkaUnavailable(`not acknowledged: ${reason}`, { cause: error })
}

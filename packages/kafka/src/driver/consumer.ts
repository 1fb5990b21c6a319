import type { Consumer, IHeaders, KafkaMessage } from 'kafkajs'
import { KafkaUnavailable } from '../errors.ts'
import { followFetches } from './fetch-patch.ts'
import type { ConsumerOptions, ConsumerPort, StoredRecord } from './port.ts'
import { CONSUMER_METADATA_MAX_AGE_MS, type NewClient, retryOptions } from './settings.ts'

/**
 * A fetch waits this part of the session timeout for records, and a heartbeat follows each fetch: a rebalance is noticed within
 * 3 s, usually 2. Long, because each fetch wakes the process; a record ends the wait.
 */
const WAITS_PER_SESSION = 5
/** Of a group with one member: there is no rebalance to notice, so a heartbeat every 10 s is enough. */
const SESSION_FACTOR_ALONE = 3
const MAX_BYTES_PER_PARTITION = 1024 * 1024

export function createConsumer(newClient: NewClient, options: ConsumerOptions): ConsumerPort {
  const { groupId, sessionTimeoutMs, isOnlyMember, gatherMs = 0, onEnd } = options
  const unfollow = followFetches(groupId, { gatherMs, onEnd })
  const retry = retryOptions(5)
  const waitMs = Math.floor(sessionTimeoutMs / WAITS_PER_SESSION)
  const consumer = newClient(retry).consumer({
    groupId,
    sessionTimeout: sessionTimeoutMs * (isOnlyMember ? SESSION_FACTOR_ALONE : 1),
    rebalanceTimeout: sessionTimeoutMs,
    // Less than a wait, so that a heartbeat follows each.
    heartbeatInterval: isOnlyMember
      ? sessionTimeoutMs - waitMs
      : Math.floor(sessionTimeoutMs / (WAITS_PER_SESSION + 1)),
    maxWaitTimeInMs: waitMs,
    maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
    metadataMaxAge: CONSUMER_METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    // The supervisor alone decides about restarts.
    retry: { ...retry, restartOnFailure: async () => false },
  })
  listen(consumer, options)
  return {
    start: async () => {
      try {
        await start(consumer, options)
      } catch (error) {
        throw toConsumerError(error)
      }
    },
    pause: (topic, partition) => consumer.pause([{ topic, partitions: [partition] }]),
    resume: (topic, partition) => consumer.resume([{ topic, partitions: [partition] }]),
    seek: ({ topic, partition, offset }) => consumer.seek({ topic, partition, offset: String(offset) }),
    commit: (positions) =>
      consumer.commitOffsets(positions.map((position) => ({ ...position, offset: String(position.offset) }))),
    close: () => {
      unfollow()
      return consumer.disconnect()
    },
  }
}

async function start(consumer: Consumer, options: ConsumerOptions): Promise<void> {
  await consumer.connect()
  await consumer.subscribe({ topics: [...options.topics], fromBeginning: options.startFrom === 'earliest' })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      options.onBatch({
        topic: batch.topic,
        partition: batch.partition,
        highWatermark: Number(batch.highWatermark),
        records: batch.messages.map((message) => toRecord(batch.topic, batch.partition, message)),
      })
    },
  })
}

const UNAVAILABLE = new Set<unknown>([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSNumberOfRetriesExceeded',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSLockTimeout',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
])

interface ClientError extends Error {
  readonly type?: string
  readonly retriable?: boolean
  readonly cause?: ClientError
}

/** Distinguishes an outage of the brokers (retry) from a permanent error (authorization, unknown topic, a bug). */
function toConsumerError(error: unknown): Error {
  const chain: ClientError[] = []
  for (let current = error as ClientError | undefined; current && chain.length < 8; current = current.cause) {
    chain.push(current)
  }
  const original = chain.at(-1)
  if (original?.type === 'UNKNOWN_TOPIC_OR_PARTITION') return error as Error
  return chain.some((each) => UNAVAILABLE.has(each.name)) || (original?.type && original.retriable)
    ? new KafkaUnavailable(`consumer lost Kafka: ${original?.message}`, { cause: error })
    : (error as Error)
}

function listen(consumer: Consumer, options: ConsumerOptions): void {
  const { events } = consumer
  consumer.on(events.GROUP_JOIN, ({ payload }) => {
    options.onActivity()
    options.onJoin(payload.memberId, payload.memberAssignment)
  })
  consumer.on(events.FETCH, () => options.onActivity())
  consumer.on(events.HEARTBEAT, () => options.onActivity())
  consumer.on(events.CRASH, ({ payload }) => options.onCrash(toConsumerError(payload.error)))
}

function toRecord(topic: string, partition: number, message: KafkaMessage): StoredRecord {
  return {
    topic,
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: toHeaders(message.headers),
  }
}

/** Kafka allows duplicate header names; the last one wins. */
function toHeaders(headers: IHeaders | undefined): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers ?? {})) {
    const last = Array.isArray(value) ? value.at(-1) : value
    if (last !== undefined) result[name] = last.toString()
  }
  return result
}

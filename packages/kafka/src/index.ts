export {
  type BroadcastConsumer,
  type BroadcastOptions,
  createBroadcastConsumer,
} from './consumer/broadcast.ts'
export { deadLetterHeaders, deadLetterTopicOf } from './consumer/dead-letter.ts'
export {
  type EventContext,
  type EventHandler,
  type HandlerOutcome,
  on,
  type Subscription,
} from './consumer/handlers.ts'
export type { Waiting } from './consumer/processor.ts'
export {
  type ConsumerRunner,
  type ConsumerRunnerOptions,
  createConsumerRunner,
  type RunnerHealth,
} from './consumer/runner.ts'
export type { StoredRecord, TopicOffsets, TopicSpec } from './driver/port.ts'
export {
  classifyError,
  type ErrorClassifier,
  type ErrorKind,
  KafkaUnavailable,
  PermanentError,
  RecordRejected,
  UnavailableError,
} from './errors.ts'
export { applyOnce, once, purgeInbox, type TransactionRunner } from './inbox.ts'
export { createKafka, type KafkaConnection, type KafkaOptions } from './kafka.ts'
export { MySqlRelayLock } from './outbox/mysql-lock.ts'
export { createMySqlOutboxRelay, type MySqlOutboxRelayOptions } from './outbox/mysql-relay.ts'
export { MySqlSession } from './outbox/mysql-session.ts'
export { MySqlOutboxStore } from './outbox/mysql-store.ts'
export { createOutbox, type Outbox } from './outbox/outbox.ts'
export {
  createOutboxRelay,
  type OutboxRelay,
  type OutboxRelayOptions,
  type OutboxRow,
  type OutboxStore,
  type RelayLock,
} from './outbox/relay.ts'
export { inboxTableSql, outboxTableSql } from './outbox/schema.ts'
export type { SqlExecutor } from './outbox/sql-executor.ts'
export { partitionFor } from './partitioner.ts'
export {
  createPublisher,
  type Publisher,
  type PublisherOptions,
  type PublishOutcome,
} from './publisher/publisher.ts'
export { readTopic } from './read-topic.ts'
export { eventRecord, type KafkaRecord } from './record.ts'

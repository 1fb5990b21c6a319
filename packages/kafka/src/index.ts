export { type AccessDifference, accessRules, ensureAccess } from './access.ts'
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
  onMany,
  type Subscription,
} from './consumer/handlers.ts'
export type { Waiting } from './consumer/processor.ts'
export {
  type ConsumerRunner,
  type ConsumerRunnerOptions,
  createConsumerRunner,
  type RunnerHealth,
} from './consumer/runner.ts'
export {
  type GroupLag,
  groupLags,
  oldestWaiting,
  planRewind,
  type RewindPlan,
  rewindGroup,
} from './consumer-groups.ts'
export {
  type DeadLetter,
  deadLetterTopics,
  discardDeadLetter,
  type LetterFilter,
  listDeadLetters,
  replayDeadLetter,
} from './dead-letters.ts'
export type { AccessRule, StoredRecord, TopicOffsets, TopicSpec } from './driver/port.ts'
export { ensureTopics, type TopicDifference, topicSpecs } from './ensure-topics.ts'
export {
  describeError,
  type ErrorClassifier,
  type ErrorKind,
  KafkaUnavailable,
  PermanentError,
  RecordRejected,
} from './errors.ts'
export { createKafka, type KafkaConnection, type KafkaOptions } from './kafka.ts'
export { partitionFor } from './partitioner.ts'
export {
  createPublisher,
  type Publisher,
  type PublisherOptions,
  type PublishOutcome,
} from './publisher/publisher.ts'
export { readFirstRecords, readTopic } from './read-topic.ts'
export { activeTrace, eventRecord, type KafkaRecord } from './record.ts'
export { type KafkaSecurity, kafkaSecurity, kafkaSecurityFromEnv, saslMechanisms } from './security.ts'
export { backoffMs, everyTick, settledWithin, sleep, untilTick } from './timing.ts'

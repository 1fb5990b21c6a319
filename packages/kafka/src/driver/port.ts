import type { KafkaSecurity } from '../security.ts'

/**
 * The interface of a Kafka client as this package needs it. Only `kafkajs.ts` depends on the client library,
 * which makes it replaceable.
 */
export interface DriverOptions {
  readonly clientId: string
  readonly brokers: readonly string[]
  readonly security: KafkaSecurity
  readonly log: (level: 'debug' | 'info' | 'warn', message: string, detail: object) => void
}

export interface WireRecord {
  readonly key: string | Buffer | null
  readonly value: string | Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

export interface StoredRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Publication time in Unix milliseconds. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

export interface RecordBatch {
  readonly topic: string
  readonly partition: number
  /** The offset after the last fully replicated record. */
  readonly highWatermark: number
  readonly records: readonly StoredRecord[]
}

export interface TopicOffsets {
  readonly partition: number
  readonly low: number
  readonly high: number
}

export interface PartitionOffset {
  readonly partition: number
  readonly offset: number
}

export interface PartitionPosition extends PartitionOffset {
  readonly topic: string
}

export type Assignment = Readonly<Record<string, readonly number[]>>

export interface ProducerPort {
  /** Resolves once every in-sync replica has the records; rejects with KafkaUnavailable or RecordRejected. */
  send(topic: string, partition: number, records: readonly WireRecord[]): Promise<void>
  close(): Promise<void>
}

interface ConsumerListener {
  /** Called before the first record of an assignment is fetched. */
  onJoin(memberId: string, assignment: Assignment): void
  /** Must return immediately: it blocks fetching and heartbeats. */
  onBatch(batch: RecordBatch): void
  /** Called when the consumer has failed for good. With KafkaUnavailable a new consumer may succeed. */
  onCrash(error: Error): void
  /** Called when a fetch or a heartbeat was acknowledged. */
  onActivity(): void
  /** Called for each fetched partition, also without new records, with its end (the high watermark). */
  onEnd?(topic: string, partition: number, end: number): void
}

export interface ConsumerOptions extends ConsumerListener {
  readonly groupId: string
  readonly topics: readonly string[]
  readonly startFrom: 'earliest' | 'latest'
  readonly sessionTimeoutMs: number
  /** The group never has another member: heartbeats are rarer, and the session timeout is longer. */
  readonly isOnlyMember?: boolean
  /** The time between two fetches while several records arrive with each. Default 0. */
  readonly gatherMs?: number
}

export interface ConsumerPort {
  /** Joins the group and starts fetching. Rejects when the brokers are unreachable or a topic is unknown. */
  start(): Promise<void>
  pause(topic: string, partition: number): void
  resume(topic: string, partition: number): void
  seek(position: PartitionPosition): void
  commit(positions: readonly PartitionPosition[]): Promise<void>
  close(): Promise<void>
}

export interface AdminPort {
  ping(): Promise<void>
  brokerCount(): Promise<number>
  partitionCount(topic: string): Promise<number>
  offsets(topic: string): Promise<TopicOffsets[]>
  /** Returns the first offset at or after the time, or the end. */
  offsetsAt(topic: string, timestamp: number): Promise<PartitionOffset[]>
  /** Returns the committed positions of a group; omits partitions without one. */
  committed(groupId: string, topics: readonly string[]): Promise<PartitionPosition[]>
  listGroups(): Promise<string[]>
  /** Sets a group's committed positions. Rejects while the group has members, which would overwrite them. */
  setCommitted(groupId: string, topic: string, positions: readonly PartitionOffset[]): Promise<void>
  createTopics(topics: readonly TopicSpec[]): Promise<void>
  deleteTopics(topics: readonly string[]): Promise<void>
  listTopics(): Promise<string[]>
  /** Returns the settings made on each topic itself, without the broker's defaults. */
  topicConfigs(topics: readonly string[]): Promise<ReadonlyMap<string, TopicSettings>>
  /** Replaces the settings of a topic. */
  setTopicConfig(topic: string, config: TopicSettings): Promise<void>
  listAcls(): Promise<AccessRule[]>
  createAcls(rules: readonly AccessRule[]): Promise<void>
  deleteAcls(rules: readonly AccessRule[]): Promise<void>
  close(): Promise<void>
}

/** A permission of an account. Names include the prefix of the connection. */
export interface AccessRule {
  readonly account: string
  readonly resource: 'topic' | 'group'
  readonly name: string
  /** Whether `name` is a prefix of the permitted names. */
  readonly isPrefix: boolean
  readonly operation: 'read' | 'write' | 'describe'
}

export type TopicSettings = Readonly<Record<string, string>>

export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor?: number
  readonly config?: Readonly<Record<string, string>>
}

export interface KafkaDriver {
  openProducer(onPartitionCount: (topic: string, count: number) => void): Promise<ProducerPort>
  createConsumer(options: ConsumerOptions): ConsumerPort
  readonly admin: AdminPort
}

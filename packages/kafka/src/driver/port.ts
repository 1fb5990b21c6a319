import type { KafkaSecurity } from '../security.ts'

/**
 * What this package needs of a Kafka client. Only `kafkajs.ts` beside this file knows the client,
 * so another one can take its place behind the same port.
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
  /** When it was published, Unix milliseconds. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

export interface RecordBatch {
  readonly topic: string
  readonly partition: number
  /** The offset after the last record that every replica has. */
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
  /** Must return at once: while it runs nothing else is fetched and no heartbeat is sent. */
  onBatch(batch: RecordBatch): void
  /** The consumer is dead and will not come back by itself. KafkaUnavailable: a new one may fare better. */
  onCrash(error: Error): void
  /** A sign of life: a fetch was answered or a heartbeat acknowledged. */
  onActivity(): void
}

export interface ConsumerOptions extends ConsumerListener {
  readonly groupId: string
  readonly topics: readonly string[]
  readonly startFrom: 'earliest' | 'latest'
  readonly sessionTimeoutMs: number
}

export interface ConsumerPort {
  /** Joins the group and starts to fetch. Rejects when it cannot be reached or a topic is unknown. */
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
  /** The first offset at or after the time, the end if there is none. */
  offsetsAt(topic: string, timestamp: number): Promise<PartitionOffset[]>
  /** Committed positions of a group; partitions it never committed are left out. */
  committed(groupId: string, topics: readonly string[]): Promise<PartitionPosition[]>
  listGroups(): Promise<string[]>
  /** Moves a group's committed positions. Rejects while the group has members: they would commit over them. */
  setCommitted(groupId: string, topic: string, positions: readonly PartitionOffset[]): Promise<void>
  createTopics(topics: readonly TopicSpec[]): Promise<void>
  deleteTopics(topics: readonly string[]): Promise<void>
  listTopics(): Promise<string[]>
  /** What is set on each topic itself; the broker's defaults are left out. */
  topicConfigs(topics: readonly string[]): Promise<ReadonlyMap<string, TopicSettings>>
  /** Replaces what is set on a topic itself. */
  setTopicConfig(topic: string, config: TopicSettings): Promise<void>
  listAcls(): Promise<AccessRule[]>
  createAcls(rules: readonly AccessRule[]): Promise<void>
  deleteAcls(rules: readonly AccessRule[]): Promise<void>
  close(): Promise<void>
}

/** What an account may do. Names include the prefix of the connection. */
export interface AccessRule {
  readonly account: string
  readonly resource: 'topic' | 'group'
  readonly name: string
  /** Whether `name` is only the beginning of the names that are meant. */
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

import type { Logger } from 'pino'
import { createKafkajsDriver } from './driver/kafkajs.ts'
import type { AdminPort, KafkaDriver, TopicOffsets, TopicSettings, TopicSpec } from './driver/port.ts'
import type { KafkaSecurity } from './security.ts'

export interface KafkaOptions {
  readonly clientId: string
  readonly brokers: readonly string[]
  /** Prefix of every topic and group name, so that several stacks can share a cluster. Default: none. */
  readonly topicPrefix?: string
  /** Default: neither TLS nor an account. */
  readonly security?: KafkaSecurity
  readonly log: Logger
}

/** The configuration for connecting to Kafka; creates publishers and consumers. Connects lazily. */
export interface KafkaConnection {
  readonly clientId: string
  readonly topicPrefix: string
  readonly log: Logger
  /** @internal used only by this package */
  readonly driver: KafkaDriver
  /** Rejects with KafkaUnavailable when no broker responds within 5 s. */
  ping(): Promise<void>
  createTopics(topics: readonly TopicSpec[]): Promise<void>
  deleteTopics(topics: readonly string[]): Promise<void>
  /** Returns the topic names without the prefix; omits topics of other prefixes. */
  listTopics(): Promise<string[]>
  topicConfigs(topics: readonly string[]): Promise<ReadonlyMap<string, TopicSettings>>
  setTopicConfig(topic: string, config: TopicSettings): Promise<void>
  offsets(topic: string): Promise<TopicOffsets[]>
  brokerCount(): Promise<number>
  partitionCount(topic: string): Promise<number>
  close(): Promise<void>
}

/** @param options.topicPrefix e.g. `t3fa9.`: `user.events` becomes `t3fa9.user.events` on the wire. */
export function createKafka(options: KafkaOptions): KafkaConnection {
  const topicPrefix = options.topicPrefix ?? ''
  const log = options.log.child({ component: 'kafka' })
  const driver = createKafkajsDriver({
    clientId: options.clientId,
    brokers: options.brokers,
    security: options.security ?? { tls: false },
    log: (level, message, detail) => log[level](detail, message),
  })
  const admin: AdminPort = driver.admin
  const prefixed = (name: string) => topicPrefix + name
  return {
    clientId: options.clientId,
    topicPrefix,
    log,
    driver,
    ping: () => admin.ping(),
    createTopics: (topics) =>
      admin.createTopics(topics.map((topic) => ({ ...topic, name: prefixed(topic.name) }))),
    deleteTopics: (topics) => admin.deleteTopics(topics.map(prefixed)),
    listTopics: async () =>
      (await admin.listTopics())
        .filter((name) => name.startsWith(topicPrefix))
        .map((name) => name.slice(topicPrefix.length)),
    topicConfigs: async (topics) => {
      const configs = await admin.topicConfigs(topics.map(prefixed))
      return new Map([...configs].map(([name, config]) => [name.slice(topicPrefix.length), config]))
    },
    setTopicConfig: (topic, config) => admin.setTopicConfig(prefixed(topic), config),
    offsets: (topic) => admin.offsets(prefixed(topic)),
    brokerCount: () => admin.brokerCount(),
    partitionCount: (topic) => admin.partitionCount(prefixed(topic)),
    close: () => admin.close(),
  }
}

import { deadLetterTopic, topics } from '@bigtech/contracts'
import { type ITopicConfig, Kafka, logLevel } from 'kafkajs'
import type { Instance } from './instance.ts'

/** Every topic of the contracts with its dead-letter topic. */
export function topicList(replicationFactor: number): ITopicConfig[] {
  return Object.entries(topics).flatMap(([name, topic]) => [
    describe(name, topic.partitions, topic.retentionMs, replicationFactor),
    describe(
      `${name}${deadLetterTopic.suffix}`,
      deadLetterTopic.partitions,
      deadLetterTopic.retentionMs,
      replicationFactor,
    ),
  ])
}

function describe(
  topic: string,
  numPartitions: number,
  retentionMs: number,
  replicationFactor: number,
): ITopicConfig {
  return {
    topic,
    numPartitions,
    replicationFactor,
    configEntries: [{ name: 'retention.ms', value: String(retentionMs) }],
  }
}

/** Creates the topics that are not there yet; a broker that just began to listen may refuse for a moment. */
export async function createTopics(instance: Instance, replicationFactor = 1): Promise<void> {
  const kafka = new Kafka({
    clientId: 'devstack',
    brokers: [`127.0.0.1:${instance.ports.kafka}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2000,
    retry: { initialRetryTime: 150, maxRetryTime: 1000, retries: 20 },
  })
  const admin = kafka.admin()
  await admin.connect()
  try {
    const existing = new Set(await admin.listTopics())
    const missing = topicList(replicationFactor).filter((topic) => !existing.has(topic.topic))
    if (missing.length > 0)
      await admin.createTopics({ topics: missing, waitForLeaders: true, timeout: 15_000 })
  } finally {
    await admin.disconnect()
  }
}

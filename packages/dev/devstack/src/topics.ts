import { deadLetterTopic, topics } from '@bigtech/contracts'
import { createKafka, type TopicSpec } from '@bigtech/kafka'
import { pino } from 'pino'
import type { Instance } from './instance.ts'

/** Every topic of the contracts with its dead-letter topic. */
export function topicList(): TopicSpec[] {
  return Object.entries(topics).flatMap(([name, topic]) => [
    describe(name, topic.partitions, topic.retentionMs),
    describe(`${name}${deadLetterTopic.suffix}`, deadLetterTopic.partitions, deadLetterTopic.retentionMs),
  ])
}

function describe(name: string, partitions: number, retentionMs: number): TopicSpec {
  return { name, partitions, replicationFactor: 1, config: { 'retention.ms': String(retentionMs) } }
}

const WITHIN_MS = 30_000
const TRY_EVERY_MS = 200

/** Creates the topics that are not there yet; a broker that just began to listen may refuse for a moment. */
export async function createTopics(instance: Instance): Promise<void> {
  const brokers = [`127.0.0.1:${instance.ports.kafka}`]
  const kafka = createKafka({ clientId: 'devstack', brokers, log: pino({ level: 'silent' }) })
  const deadline = Date.now() + WITHIN_MS
  try {
    for (;;) {
      try {
        const existing = new Set(await kafka.listTopics())
        const missing = topicList().filter((topic) => !existing.has(topic.name))
        if (missing.length > 0) await kafka.createTopics(missing)
        return
      } catch (error) {
        if (Date.now() > deadline) throw error
        await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS))
      }
    }
  } finally {
    await kafka.close()
  }
}

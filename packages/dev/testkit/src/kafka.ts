import { deadLetterTopic, topics } from '@bigtech/contracts'
import { createKafka } from '@bigtech/kafka'
import { pino } from 'pino'
import { testServers, uniqueName } from './servers.ts'

export interface TestKafka {
  readonly brokers: readonly string[]
  readonly topicPrefix: string
  remove(): Promise<void>
}

/** Creates every topic and dead-letter topic of the product under a unique prefix. */
export async function createTestKafka(options: { partitions?: number } = {}): Promise<TestKafka> {
  const { brokers } = testServers().kafka
  const topicPrefix = `${uniqueName('t')}.`
  const kafka = createKafka({ clientId: 'testkit', brokers, topicPrefix, log: pino({ level: 'silent' }) })
  const names = Object.keys(topics)
  await kafka.createTopics([
    ...names.map((name) => ({ name, partitions: options.partitions ?? 3 })),
    ...names.map((name) => ({ name: name + deadLetterTopic.suffix, partitions: 1 })),
  ])
  return {
    brokers,
    topicPrefix,
    remove: async () => {
      await kafka.deleteTopics(await kafka.listTopics())
      await kafka.close()
    },
  }
}

import { createKafka, ensureTopics, topicSpecs } from '@bigtech/kafka'
import { pino } from 'pino'
import type { Instance } from './instance.ts'

const WITHIN_MS = 30_000
const TRY_EVERY_MS = 200

/** Creates missing topics, with retries: a newly started broker may refuse temporarily. */
export async function createTopics(instance: Instance): Promise<void> {
  const brokers = [`127.0.0.1:${instance.ports.kafka}`]
  const kafka = createKafka({ clientId: 'devstack', brokers, log: pino({ level: 'silent' }) })
  const deadline = Date.now() + WITHIN_MS
  try {
    for (;;) {
      try {
        await ensureTopics(kafka, topicSpecs(1), false)
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

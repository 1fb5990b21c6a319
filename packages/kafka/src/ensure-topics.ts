import { deadLetterTopic, topics } from '@bigtech/contracts'
import type { TopicSpec } from './driver/port.ts'
import type { KafkaConnection } from './kafka.ts'

/** Returns the specification of every topic of the contracts and its dead-letter topic, with `replication` replicas. */
export function topicSpecs(replication: number): TopicSpec[] {
  const spec = (name: string, partitions: number, retentionMs: number): TopicSpec => ({
    name,
    partitions,
    replicationFactor: replication,
    config: {
      'retention.ms': String(retentionMs),
      'min.insync.replicas': String(replication > 1 ? 2 : 1),
    },
  })
  return Object.entries(topics).flatMap(([name, { partitions, retentionMs }]) => [
    spec(name, partitions, retentionMs),
    spec(`${name}${deadLetterTopic.suffix}`, deadLetterTopic.partitions, deadLetterTopic.retentionMs),
  ])
}

export interface TopicDifference {
  readonly topic: string
  readonly what: string
  /** False if an operator has to decide. More partitions would move a key's later records and break their order. */
  readonly isRepairable: boolean
}

/**
 * Compares the topics with their specifications and, unless `isDryRun`, creates missing topics and corrects
 * settings. Leaves settings outside the specification unchanged. Idempotent.
 */
export async function ensureTopics(
  kafka: KafkaConnection,
  specs: readonly TopicSpec[],
  isDryRun: boolean,
): Promise<TopicDifference[]> {
  const existing = new Set(await kafka.listTopics())
  const missing = specs.filter(({ name }) => !existing.has(name))
  const present = specs.filter(({ name }) => existing.has(name))
  const differences = missing.map(({ name, partitions, replicationFactor }) => ({
    topic: name,
    what: `is missing: ${partitions} partitions, ${replicationFactor} copies`,
    isRepairable: true,
  }))
  if (missing.length > 0 && !isDryRun) await kafka.createTopics(missing)
  return [...differences, ...(await compareSettings(kafka, present, isDryRun))]
}

async function compareSettings(
  kafka: KafkaConnection,
  specs: readonly TopicSpec[],
  isDryRun: boolean,
): Promise<TopicDifference[]> {
  if (specs.length === 0) return []
  const differences: TopicDifference[] = []
  const configs = await kafka.topicConfigs(specs.map(({ name }) => name))
  for (const { name, partitions, config = {} } of specs) {
    const current = configs.get(name) ?? {}
    const wrong = Object.entries(config).filter(([key, value]) => current[key] !== value)
    for (const [key, value] of wrong) {
      differences.push({
        topic: name,
        what: `${key} is ${current[key] ?? 'unset'}, not ${value}`,
        isRepairable: true,
      })
    }
    if (wrong.length > 0 && !isDryRun) await kafka.setTopicConfig(name, { ...current, ...config })
    const count = await kafka.partitionCount(name)
    if (count !== partitions) {
      differences.push({
        topic: name,
        what: `has ${count} partitions, not ${partitions}`,
        isRepairable: false,
      })
    }
  }
  return differences
}

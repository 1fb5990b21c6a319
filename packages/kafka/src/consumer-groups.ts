import type { PartitionOffset } from './driver/port.ts'
import type { KafkaConnection } from './kafka.ts'
import { readRecordsAt } from './read-topic.ts'

/** The lag of a consumer group: uncommitted records of a topic. */
export interface GroupLag {
  readonly group: string
  readonly topic: string
  readonly records: number
}

/** Returns the lag of every consumer group that has committed a position; omits groups of other prefixes. */
export async function groupLags(kafka: KafkaConnection): Promise<GroupLag[]> {
  const topics = await kafka.listTopics()
  const ends = new Map<string, Promise<PartitionEnd[]>>()
  const endsOf = (topic: string) => {
    const known = ends.get(topic) ?? kafka.offsets(topic)
    ends.set(topic, known)
    return known
  }
  const lags: GroupLag[] = []
  for (const group of await listGroups(kafka)) {
    const committed = await kafka.driver.admin.committed(
      kafka.topicPrefix + group,
      topics.map(wireNames(kafka)),
    )
    for (const [name, positions] of Map.groupBy(committed, ({ topic }) => topic)) {
      const topic = name.slice(kafka.topicPrefix.length)
      lags.push({ group, topic, records: behind(await endsOf(topic), positions) })
    }
  }
  return lags.sort((a, b) => a.group.localeCompare(b.group) || a.topic.localeCompare(b.topic))
}

/**
 * Returns the publication time of the oldest record that a group has not committed; null without one. A topic loses
 * records that are older than its retention.
 */
export async function oldestWaiting(
  kafka: KafkaConnection,
  { group, topic }: Pick<GroupLag, 'group' | 'topic'>,
): Promise<Date | null> {
  const positions = await kafka.driver.admin.committed(kafka.topicPrefix + group, [kafka.topicPrefix + topic])
  const records = await readRecordsAt(kafka, topic, positions)
  if (records.length === 0) return null
  return new Date(Math.min(...records.map(({ timestamp }) => timestamp)))
}

export interface RewindPlan {
  readonly group: string
  readonly topic: string
  readonly positions: readonly PartitionOffset[]
  /** Number of records that the group will read again. */
  readonly records: number
}

/**
 * Returns the positions from which a group reads again every record published at or after a time. Never moves
 * a position forward, which would skip records.
 *
 * @throws Error when the group has no committed position in the topic.
 */
export async function planRewind(
  kafka: KafkaConnection,
  { group, topic, to }: { readonly group: string; readonly topic: string; readonly to: Date },
): Promise<RewindPlan> {
  const { admin } = kafka.driver
  const name = kafka.topicPrefix + topic
  const committed = await admin.committed(kafka.topicPrefix + group, [name])
  if (committed.length === 0) throw new Error(`${group} has no committed position in ${topic}`)
  const wanted = new Map(
    (await admin.offsetsAt(name, to.getTime())).map((each) => [each.partition, each.offset]),
  )
  const positions = committed.map(({ partition, offset }) => ({
    partition,
    offset: Math.min(offset, wanted.get(partition) ?? offset),
  }))
  const moved = committed.reduce(
    (sum, { offset }, index) => sum + offset - (positions[index]?.offset ?? offset),
    0,
  )
  return { group, topic, positions, records: moved }
}

/** Moves a group's positions as planned. @throws Error while the group has members: stop its service first. */
export async function rewindGroup(
  kafka: KafkaConnection,
  { group, topic, positions }: RewindPlan,
): Promise<void> {
  await kafka.driver.admin.setCommitted(kafka.topicPrefix + group, kafka.topicPrefix + topic, positions)
}

/** Broadcast consumers and readers never commit, and their group names are random. */
const THROWAWAY_GROUP = /^(broadcast|read)\./

async function listGroups({ driver, topicPrefix }: KafkaConnection): Promise<string[]> {
  return (await driver.admin.listGroups())
    .filter((group) => group.startsWith(topicPrefix))
    .map((group) => group.slice(topicPrefix.length))
    .filter((group) => !THROWAWAY_GROUP.test(group))
}

interface PartitionEnd {
  readonly partition: number
  readonly low: number
  readonly high: number
}

function behind(ends: readonly PartitionEnd[], positions: readonly PartitionOffset[]): number {
  return positions.reduce((sum, { partition, offset }) => {
    const end = ends.find((each) => each.partition === partition)
    return sum + (end ? Math.max(0, end.high - Math.max(offset, end.low)) : 0)
  }, 0)
}

function wireNames({ topicPrefix }: KafkaConnection): (topic: string) => string {
  return (topic) => topicPrefix + topic
}

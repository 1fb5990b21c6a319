import type { Logger } from 'pino'
import type { PartitionPosition, TopicOffsets } from '../driver/port.ts'
import type { KafkaConnection } from '../kafka.ts'
import type { KafkaMetrics } from '../metrics.ts'
import { untilTick } from '../timing.ts'

interface Partition {
  readonly topic: string
  readonly partition: number
}

export interface LagOptions {
  readonly kafka: KafkaConnection
  readonly groupId: string
  readonly metrics: KafkaMetrics
  /** The assigned partitions. */
  readonly workers: ReadonlyMap<string, Partition>
  readonly log: Logger
}

/** Metrics are collected as often. */
const EVERY_MS = 15_000
/** A partition is fetched every 2 s. A stalled one is not fetched: its end is asked for. */
const END_AGE_MS = 5_000

/**
 * Reports the group's lag. Fetches tell the end of a partition, and only its owner commits: the broker is asked for the rest, which are
 * the first position after an assignment and the ends of stalled partitions.
 */
export class LagReporter {
  readonly #options: LagOptions
  readonly #ends = new Map<string, { readonly offset: number; readonly at: number }>()
  #committed = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #reported = new Set<string>()

  constructor(options: LagOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.report().catch((err: unknown) => this.#options.log.debug({ err }, 'lag unknown'))
      this.start()
    }, untilTick(EVERY_MS))
    this.#timer.unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** @param end of a partition, as a fetch has just told it */
  noteEnd(end: PartitionPosition): void {
    this.#ends.set(keyOf(end), { offset: end.offset, at: performance.now() })
  }

  noteCommitted(positions: readonly PartitionPosition[]): void {
    for (const position of positions) this.#committed.set(keyOf(position), position.offset)
  }

  /** Forgets the committed positions at an assignment: another member may have committed since. */
  forgetCommitted(): void {
    // Not cleared: a query in flight writes into the old one.
    this.#committed = new Map()
  }

  async report(): Promise<void> {
    const { metrics, workers, kafka } = this.#options
    const owned = [...workers.values()]
    const committed = this.#committed
    await this.#findCommitted(owned, committed)
    const late = performance.now() - END_AGE_MS
    const silent = owned.filter(
      (each) => (this.#ends.get(keyOf(each))?.at ?? Number.NEGATIVE_INFINITY) < late,
    )
    for (const [topic, offsets] of await this.#offsetsOf(silent))
      for (const { partition, high } of offsets) this.noteEnd({ topic, partition, offset: high })
    const seen = new Set<string>()
    for (const each of owned) {
      const [end, position] = [this.#ends.get(keyOf(each)), committed.get(keyOf(each))]
      if (!end || position === undefined) continue
      const name = each.topic.slice(kafka.topicPrefix.length)
      metrics.lag.set(this.#labels(name, each.partition), Math.max(0, end.offset - position))
      seen.add(`${name} ${each.partition}`)
    }
    this.#removeLost(seen)
  }

  /** Adds unknown positions to `committed`: the beginning of a partition that the group has not committed. */
  async #findCommitted(owned: readonly Partition[], committed: Map<string, number>): Promise<void> {
    const unknown = owned.filter((each) => !committed.has(keyOf(each)))
    if (unknown.length === 0) return
    const { kafka, groupId } = this.#options
    const topics = [...new Set(unknown.map(({ topic }) => topic))]
    // What is committed in the meantime is newer.
    const add = (key: string, offset: number) => {
      if (!committed.has(key)) committed.set(key, offset)
    }
    for (const each of await kafka.driver.admin.committed(kafka.topicPrefix + groupId, topics))
      add(keyOf(each), each.offset)
    const never = unknown.filter((each) => !committed.has(keyOf(each)))
    for (const [topic, offsets] of await this.#offsetsOf(never))
      for (const { partition, low } of offsets) add(keyOf({ topic, partition }), low)
  }

  async #offsetsOf(partitions: readonly Partition[]): Promise<Map<string, readonly TopicOffsets[]>> {
    const offsets = new Map<string, readonly TopicOffsets[]>()
    for (const topic of new Set(partitions.map((each) => each.topic)))
      offsets.set(topic, await this.#options.kafka.driver.admin.offsets(topic))
    return offsets
  }

  /** Removes the metrics of revoked partitions, which their new owner reports. */
  #removeLost(seen: Set<string>): void {
    for (const label of this.#reported) {
      const [topic, partition] = label.split(' ')
      if (!seen.has(label)) this.#options.metrics.lag.remove(this.#labels(topic!, Number(partition)))
    }
    this.#reported = seen
  }

  #labels(topic: string, partition: number) {
    return { topic, partition: String(partition), group: this.#options.groupId }
  }
}

function keyOf({ topic, partition }: Partition): string {
  return `${topic}/${partition}`
}

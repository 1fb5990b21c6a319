import type { Logger } from 'pino'
import type { KafkaConnection } from '../kafka.ts'
import type { KafkaMetrics } from '../metrics.ts'
import { untilTick } from '../timing.ts'

export interface LagOptions {
  readonly kafka: KafkaConnection
  readonly groupId: string
  readonly metrics: KafkaMetrics
  /** The assigned partitions. */
  readonly workers: ReadonlyMap<string, { readonly topic: string; readonly partition: number }>
  readonly log: Logger
}

/** Metrics are collected as often. */
const EVERY_MS = 15_000

/**
 * Reports the group's lag from the broker's offsets, not from fetched records, because a stalled partition
 * fetches nothing.
 */
export class LagReporter {
  readonly #options: LagOptions
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

  async report(): Promise<void> {
    const { kafka, groupId, metrics, workers } = this.#options
    const owned = [...workers.values()]
    const topics = [...new Set(owned.map(({ topic }) => topic))]
    const { admin } = kafka.driver
    const committed = topics.length > 0 ? await admin.committed(kafka.topicPrefix + groupId, topics) : []
    const seen = new Set<string>()
    for (const topic of topics) {
      const ends = await admin.offsets(topic)
      for (const { partition } of owned.filter((each) => each.topic === topic)) {
        const end = ends.find((each) => each.partition === partition)
        if (!end) continue
        const own = committed.find((each) => each.topic === topic && each.partition === partition)
        const name = topic.slice(kafka.topicPrefix.length)
        metrics.lag.set(this.#labels(name, partition), Math.max(0, end.high - (own?.offset ?? end.low)))
        seen.add(`${name} ${partition}`)
      }
    }
    this.#removeLost(seen)
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

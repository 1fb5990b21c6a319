import type { Logger } from 'pino'
import type { ConsumerPort, PartitionPosition } from '../driver/port.ts'
import { backoffMs, sleep } from '../timing.ts'

/** After a crash, events of this time are delivered again; each commit is a record that Kafka stores. */
const PACE_MS = 500

/**
 * Commits the positions of applied events at once, or 0.5 s after the previous commit: positions marked meanwhile go with the
 * next one. Retries a failed commit; a failure causes duplicates, never lost events.
 */
export class Committer {
  readonly #port: () => ConsumerPort | undefined
  readonly #log: Logger
  readonly #onCommitted: (positions: readonly PartitionPosition[]) => void
  readonly #dirty = new Map<string, PartitionPosition>()
  #running: Promise<void> | undefined
  #committedAt = Number.NEGATIVE_INFINITY
  #flushes = 0
  #rest = new AbortController()
  #abandon = new AbortController()

  constructor(
    port: () => ConsumerPort | undefined,
    log: Logger,
    onCommitted: (positions: readonly PartitionPosition[]) => void = () => {},
  ) {
    this.#port = port
    this.#log = log
    this.#onCommitted = onCommitted
  }

  /** @param position offset of the next record to read */
  mark(position: PartitionPosition): void {
    this.#dirty.set(keyOf(position.topic, position.partition), position)
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Drops the position of a partition that was assigned to another member. */
  forget(topic: string, partition: number): void {
    this.#dirty.delete(keyOf(topic, partition))
  }

  forgetAll(): void {
    this.#dirty.clear()
    this.#abandon.abort()
    this.#abandon = new AbortController()
  }

  /** Resolves when every position marked so far is committed. */
  async flush(): Promise<void> {
    this.#flushes++
    this.#rest.abort()
    await this.#running
    this.#flushes--
  }

  async #run(): Promise<void> {
    for (let failures = 0; this.#dirty.size > 0; ) {
      const restMs = this.#committedAt + PACE_MS - performance.now()
      if (restMs > 0 && this.#flushes === 0) {
        this.#rest = new AbortController()
        await sleep(restMs, this.#rest.signal)
        continue
      }
      const positions = [...this.#dirty.values()]
      try {
        const port = this.#port()
        if (!port) throw new Error('not a member of the group')
        await port.commit(positions)
        failures = 0
        this.#committedAt = performance.now()
        this.#onCommitted(positions)
        for (const position of positions) this.#clean(position)
      } catch (err) {
        const waitMs = backoffMs(failures++, 100, 5_000)
        if (failures > 1) this.#log.warn({ err, wait_ms: waitMs }, 'offset commit failed, retrying')
        await sleep(waitMs, this.#abandon.signal)
      }
    }
  }

  #clean(position: PartitionPosition): void {
    const key = keyOf(position.topic, position.partition)
    if (this.#dirty.get(key) === position) this.#dirty.delete(key)
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}

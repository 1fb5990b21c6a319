import { uuidv7 } from '@bigtech/contracts'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Assignment, ConsumerPort, StoredRecord } from '../driver/port.ts'
import { PermanentError } from '../errors.ts'
import type { KafkaConnection } from '../kafka.ts'
import { type KafkaMetrics, kafkaMetrics } from '../metrics.ts'
import { headerNames } from '../record.ts'
import { backoffMs, settledWithin, sleep } from '../timing.ts'
import { HandlerTable, type Subscription } from './handlers.ts'
import { lazyLogger } from './lazy-logger.ts'
import { PartitionWorker } from './partition-worker.ts'
import { ConsumerSupervisor } from './supervisor.ts'

export interface BroadcastOptions {
  readonly kafka: KafkaConnection
  /** Purpose, e.g. `chat-service.revocations`; part of the group's name. */
  readonly name: string
  /** Must be fast and in-memory: an event whose handler throws is logged and skipped, never retried. */
  readonly handlers: readonly Subscription[]
  readonly log: Logger
  readonly onFatal: (error: Error) => void
  /** Replay period in milliseconds before the start. Default: only new events. */
  readonly sinceMs?: number
  readonly registry?: Registry
  readonly sessionTimeoutMs?: number
}

export interface BroadcastConsumer {
  start(): void
  /** Resolves when every event present at the start has been handled, and new ones arrive. */
  readonly ready: Promise<void>
  /** Reports whether the consumer is reading. Otherwise its in-memory state becomes stale. */
  health(): { readonly ok: boolean; readonly caughtUp: boolean }
  stop(): Promise<void>
}

/**
 * Delivers all events of the handlers' topics to every process, for in-memory state (revoked sessions,
 * presence, open streams). Tracks its own position in every partition and resumes from it after an outage, so
 * that a running process misses nothing.
 */
export function createBroadcastConsumer(options: BroadcastOptions): BroadcastConsumer {
  return new Broadcast(options)
}

/** The consumer fetches every 3 s at least, even without new records. */
const SILENCE_MS = 5_000
/** Short: a service started during a Kafka outage is not ready before this wait is over. */
const LOCATE_MAX_WAIT_MS = 1_000

class Broadcast implements BroadcastConsumer {
  readonly ready: Promise<void>
  readonly #options: BroadcastOptions
  readonly #log: Logger
  readonly #table: HandlerTable
  readonly #metrics: KafkaMetrics | undefined
  readonly #supervisor: ConsumerSupervisor
  readonly #stopping = new AbortController()
  readonly #workers = new Map<string, PartitionWorker>()
  /** Partitions that have not reached their end as of the start, with that end. */
  readonly #behind = new Map<string, number>()
  #port: ConsumerPort | undefined
  #caughtUp = false
  #resolveReady!: () => void

  constructor(options: BroadcastOptions) {
    this.#options = options
    this.#log = options.log.child({ component: 'broadcast', consumer: options.name })
    this.#table = new HandlerTable(options.handlers)
    this.#metrics = options.registry && kafkaMetrics(options.registry)
    for (const { definition } of options.handlers)
      this.#metrics?.events.inc(
        { topic: definition.topic, event_type: definition.type, result: 'applied' },
        0,
      )
    this.ready = new Promise((resolve) => {
      this.#resolveReady = resolve
    })
    this.#supervisor = new ConsumerSupervisor({
      kafka: options.kafka,
      groupId: `broadcast.${options.name}.${uuidv7()}`,
      topics: this.#table.topics,
      // Partitions added later have no position yet, and all their records are new.
      startFrom: 'earliest',
      sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
      isOnlyMember: true,
      log: this.#log,
      onJoin: (port, assignment) => this.#onJoin(port, assignment),
      onBatch: (batch) => this.#workerOf(batch.topic, batch.partition, 0).enqueue(batch),
      onLost: () => {
        this.#port = undefined
      },
      onFatal: options.onFatal,
    })
  }

  start(): void {
    void this.#locate().then(() => {
      if (!this.#stopping.signal.aborted) this.#supervisor.start()
    })
  }

  health(): { ok: boolean; caughtUp: boolean } {
    return { ok: this.#supervisor.isAlive(SILENCE_MS) && this.#caughtUp, caughtUp: this.#caughtUp }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    const workers = [...this.#workers.values()]
    for (const worker of workers) worker.drop()
    await settledWithin(Promise.allSettled(workers.map((worker) => worker.settled)), 2_000)
    await this.#supervisor.stop()
  }

  /** Determines the start and end positions; retries until Kafka responds. */
  async #locate(): Promise<void> {
    const { signal } = this.#stopping
    // One start time for all attempts: an outage at startup must not shift the replay period.
    const { sinceMs } = this.#options
    const since = sinceMs === undefined ? undefined : Date.now() - sinceMs
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        for (const topic of this.#table.topics) {
          await this.#locateTopic(this.#options.kafka.topicPrefix + topic, since)
        }
        return
      } catch (err) {
        const waitMs = backoffMs(failures, 300, LOCATE_MAX_WAIT_MS)
        // Log an outage of the brokers once, not every second.
        this.#log[failures === 0 ? 'warn' : 'debug'](
          { err, wait_ms: waitMs },
          'cannot look up the start positions, retrying',
        )
        await sleep(waitMs, signal)
      }
    }
  }

  async #locateTopic(topic: string, since: number | undefined): Promise<void> {
    const { admin } = this.#options.kafka.driver
    const starts = since === undefined ? [] : await admin.offsetsAt(topic, since)
    const ends = await admin.offsets(topic)
    for (const { partition, high } of ends) {
      const start = starts.find((each) => each.partition === partition)?.offset ?? high
      this.#workerOf(topic, partition, start)
      if (start < high) this.#behind.set(keyOf(topic, partition), high)
    }
  }

  #onJoin(port: ConsumerPort, assignment: Assignment): void {
    this.#port = port
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) {
        const worker = this.#workers.get(keyOf(topic, partition))
        if (!worker) continue
        port.seek({ topic, partition, offset: worker.nextOffset })
        worker.reassert()
      }
    }
    this.#checkCaughtUp()
  }

  #workerOf(topic: string, partition: number, startOffset: number): PartitionWorker {
    const key = keyOf(topic, partition)
    const known = this.#workers.get(key)
    if (known) return known
    const worker = new PartitionWorker({
      topic,
      partition,
      startOffset,
      after: Promise.resolve(),
      process: async ([record], self) => ((await this.#process(record!, self)) ? 1 : 0),
      onDone: (record) => this.#done(record),
      setPaused: (paused) =>
        paused ? this.#port?.pause(topic, partition) : this.#port?.resume(topic, partition),
    })
    this.#workers.set(key, worker)
    return worker
  }

  async #process(record: StoredRecord, worker: PartitionWorker): Promise<boolean> {
    // A replayed dead letter targets one consumer group; broadcast consumers have already seen the event.
    if (record.headers[headerNames.replayFor] !== undefined) return true
    const topic = record.topic.slice(this.#options.kafka.topicPrefix.length)
    const { partition, offset } = record
    let eventType = 'unreadable'
    try {
      const decoded = this.#table.decode(record)
      if (!decoded.known) return true
      const { event, subscription } = decoded
      eventType = event.event_type
      const { event_id, correlation_id: request_id } = event
      const log = lazyLogger(this.#log, { request_id, event_id })
      await subscription.handle(event, {
        requestId: request_id,
        get log() {
          return log()
        },
        eventId: event_id,
        attempt: 1,
        key: record.key?.toString() ?? null,
        topic,
        partition,
        offset,
        beforeStart: offset < (this.#behind.get(keyOf(record.topic, partition)) ?? 0),
        signal: worker.signal,
      })
      this.#metrics?.events.inc({ topic, event_type: eventType, result: 'applied' })
    } catch (err) {
      this.#metrics?.events.inc({ topic, event_type: eventType, result: 'dead' })
      const what =
        err instanceof PermanentError ? 'event skipped: unreadable' : 'event skipped: handler failed'
      this.#log.error({ err, topic, partition, offset }, what)
    }
    return true
  }

  #done(record: StoredRecord): void {
    const key = keyOf(record.topic, record.partition)
    const end = this.#behind.get(key)
    if (end === undefined || record.offset + 1 < end) return
    this.#behind.delete(key)
    this.#checkCaughtUp()
  }

  #checkCaughtUp(): void {
    // Also when there was nothing to read: until the group is joined, a new block or revocation would not arrive.
    if (this.#behind.size > 0 || !this.#port) return
    this.#caughtUp = true
    this.#resolveReady()
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}

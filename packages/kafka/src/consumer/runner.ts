import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Assignment, ConsumerPort, RecordBatch, StoredRecord } from '../driver/port.ts'
import type { ErrorClassifier } from '../errors.ts'
import type { KafkaConnection } from '../kafka.ts'
import { type KafkaMetrics, kafkaMetrics } from '../metrics.ts'
import { createPublisher, type Publisher } from '../publisher/publisher.ts'
import { settledWithin } from '../timing.ts'
import { Committer } from './committer.ts'
import { HandlerTable, type Subscription } from './handlers.ts'
import { LagReporter } from './lag.ts'
import { PartitionWorker } from './partition-worker.ts'
import { Processor, type Waiting } from './processor.ts'
import { ConsumerSupervisor } from './supervisor.ts'

export interface ConsumerRunnerOptions {
  readonly kafka: KafkaConnection
  /** Name of the service, e.g. `friend-service`. The topic prefix is added. */
  readonly groupId: string
  readonly handlers: readonly Subscription[]
  readonly log: Logger
  /** Called when the consumer has failed permanently: exit the process with code 1. */
  readonly onFatal: (error: Error) => void
  readonly registry?: Registry
  /** Publishes the dead letters. Default: a publisher of the runner. */
  readonly publisher?: Publisher
  /** Classifier of the service's errors, called before the built-in rules. */
  readonly classify?: ErrorClassifier
  /** Waits before the second, third, ... attempt of an event. Default 5 s, 1 min, 10 min. */
  readonly retryWaitsMs?: readonly number[]
  /** Start of a group without committed offsets. Default `earliest`. */
  readonly startFrom?: 'earliest' | 'latest'
  /** Session timeout: how long a killed process keeps its partitions. Default 10 s. */
  readonly sessionTimeoutMs?: number
  /**
   * For work that may be this late: while four events or more arrive within this time, fetches at most this often, which costs much less CPU here and at
   * the broker. Default 0.
   */
  readonly gatherMs?: number
  /** How long `stop` waits for in-flight events. Default 8 s. */
  readonly stopTimeoutMs?: number
}

export interface RunnerHealth {
  readonly ok: boolean
  readonly joined: boolean
  /** Stalled partitions with the reason. */
  readonly waiting: readonly Waiting[]
}

export interface ConsumerRunner {
  /** Returns immediately; joins the group as soon as Kafka is reachable, and rejoins after every outage. */
  start(): void
  /** Reports not ok while the runner is outside its group or a partition waits for an unavailable store. */
  health(): RunnerHealth
  /** Finishes and commits in-flight events, then leaves the group. */
  stop(): Promise<void>
}

export function createConsumerRunner(options: ConsumerRunnerOptions): ConsumerRunner {
  return new Runner(options)
}

/** Longer than a rebalance with an unresponsive member. */
const SILENCE_MS = 15_000

class Runner implements ConsumerRunner {
  readonly #options: ConsumerRunnerOptions
  readonly #workers = new Map<string, PartitionWorker>()
  /** In-flight records of dropped workers, for which their successors wait. */
  readonly #leaving = new Map<string, Promise<unknown>>()
  readonly #publisher: Publisher
  readonly #processor: Processor
  readonly #committer: Committer
  readonly #supervisor: ConsumerSupervisor
  readonly #lag: LagReporter | undefined
  #stopping = false

  constructor(options: ConsumerRunnerOptions) {
    const { kafka, groupId, registry } = options
    const log = options.log.child({ component: 'consumer', group: groupId })
    const metrics: KafkaMetrics | undefined = registry && kafkaMetrics(registry)
    const table = new HandlerTable(options.handlers)
    // Initialize with 0: a series whose first sample is 1 never increases, and no alert would fire.
    for (const topic of table.topics) metrics?.deadLetters.inc({ topic }, 0)
    for (const { definition } of options.handlers)
      metrics?.events.inc({ topic: definition.topic, event_type: definition.type, result: 'applied' }, 0)
    this.#options = options
    this.#publisher = options.publisher ?? createPublisher({ kafka })
    this.#processor = new Processor({
      groupId,
      topicPrefix: kafka.topicPrefix,
      table,
      publisher: this.#publisher,
      log,
      metrics,
      classify: options.classify,
      retryWaitsMs: options.retryWaitsMs ?? [5_000, 60_000, 600_000],
    })
    this.#supervisor = new ConsumerSupervisor({
      kafka,
      groupId,
      topics: table.topics,
      startFrom: options.startFrom ?? 'earliest',
      sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
      gatherMs: options.gatherMs ?? 0,
      log,
      onJoin: (port, assignment) => this.#onJoin(port, assignment),
      onBatch: (batch) => this.#onBatch(batch),
      onEnd: (topic, partition, end) => this.#lag?.noteEnd({ topic, partition, offset: end }),
      onLost: () => this.#dropAll(),
      onFatal: options.onFatal,
    })
    this.#committer = new Committer(
      () => this.#supervisor.port,
      log,
      (positions) => this.#lag?.noteCommitted(positions),
    )
    this.#lag = metrics && new LagReporter({ kafka, groupId, metrics, workers: this.#workers, log })
  }

  start(): void {
    this.#supervisor.start()
    this.#lag?.start()
  }

  health(): RunnerHealth {
    const joined = this.#supervisor.isAlive(SILENCE_MS)
    const { waiting } = this.#processor
    return { ok: joined && !waiting.some(({ unavailable }) => unavailable), joined, waiting }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    this.#lag?.stop()
    const inHand = [...this.#workers.values()].map((worker) => {
      worker.drop()
      return worker.settled
    })
    await settledWithin(Promise.allSettled(inHand), this.#options.stopTimeoutMs ?? 8_000)
    await settledWithin(this.#committer.flush(), 3_000)
    await this.#supervisor.stop()
    this.#committer.forgetAll()
    if (!this.#options.publisher) await this.#publisher.stop()
  }

  #onJoin(port: ConsumerPort, assignment: Assignment): void {
    this.#lag?.forgetCommitted()
    const assigned = new Set<string>()
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) {
        assigned.add(keyOf(topic, partition))
        this.#workerOf(topic, partition, port).reassert()
      }
    }
    for (const [key, worker] of this.#workers) {
      if (!assigned.has(key)) this.#drop(key, worker)
    }
  }

  #onBatch(batch: RecordBatch): void {
    if (this.#stopping) return
    const port = this.#supervisor.port
    if (port) this.#workerOf(batch.topic, batch.partition, port).enqueue(batch)
  }

  #workerOf(topic: string, partition: number, port: ConsumerPort): PartitionWorker {
    const key = keyOf(topic, partition)
    const known = this.#workers.get(key)
    if (known) return known
    const worker = new PartitionWorker({
      topic,
      partition,
      after: this.#leaving.get(key) ?? Promise.resolve(),
      process: (records, self) => this.#processor.process(records, self),
      onDone: (record) => this.#done(record, worker),
      setPaused: (paused) => (paused ? port.pause(topic, partition) : port.resume(topic, partition)),
    })
    this.#workers.set(key, worker)
    return worker
  }

  #done(record: StoredRecord, worker: PartitionWorker): void {
    const { topic, partition, offset } = record
    // If the partition was revoked while the record was handled, its position belongs to the new owner.
    const ours = this.#workers.get(keyOf(topic, partition)) === worker
    if (ours) this.#committer.mark({ topic, partition, offset: offset + 1 })
  }

  #drop(key: string, worker: PartitionWorker): void {
    worker.drop()
    this.#workers.delete(key)
    this.#committer.forget(worker.topic, worker.partition)
    const settled = worker.settled
    this.#leaving.set(key, settled)
    void settled.finally(() => {
      if (this.#leaving.get(key) === settled) this.#leaving.delete(key)
    })
  }

  #dropAll(): void {
    for (const [key, worker] of this.#workers) this.#drop(key, worker)
    this.#committer.forgetAll()
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}

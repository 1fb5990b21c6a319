import type { Logger } from 'pino'
import type { StoredRecord } from '../driver/port.ts'
import { classifyError, describeError, type ErrorClassifier, type ErrorKind } from '../errors.ts'
import type { KafkaMetrics } from '../metrics.ts'
import type { Publisher } from '../publisher/publisher.ts'
import { headerNames } from '../record.ts'
import { backoffMs, sleep } from '../timing.ts'
import { traceEvent } from '../tracing.ts'
import { BatchProcessor, SLOW_MS } from './batch-processor.ts'
import { publishDeadLetter, toDeadLetter } from './dead-letter.ts'
import type { Decoded, HandlerTable } from './handlers.ts'
import { lazyLogger } from './lazy-logger.ts'
import type { PartitionWorker } from './partition-worker.ts'

export interface ProcessorOptions {
  /** Without the topic prefix. */
  readonly groupId: string
  readonly topicPrefix: string
  readonly table: HandlerTable
  readonly publisher: Publisher
  readonly log: Logger
  readonly metrics: KafkaMetrics | undefined
  readonly classify: ErrorClassifier | undefined
  /** Waits before the second, third, ... attempt; afterwards the event is dead-lettered. */
  readonly retryWaitsMs: readonly number[]
}

/** A partition waiting for a retry, and the reason. */
export interface Waiting {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly since: Date
  readonly unavailable: boolean
  readonly reason: string
}

/** The failures of the current record of a partition. Outlives rebalances, so that retries stay bounded. */
interface RetryState {
  readonly offset: number
  readonly firstFailedAt: Date
  attempts: number
  unavailable: number
  conflicts: number
  retryAt: number
}

const UNAVAILABLE_BASE_MS = 500
const UNAVAILABLE_MAX_MS = 15_000
const MAX_CONFLICTS = 8

/** Processes records to completion, including retries: applied, skipped or dead-lettered. */
export class Processor {
  readonly #options: ProcessorOptions
  readonly #batches: BatchProcessor
  readonly #retryStates = new Map<string, RetryState>()
  readonly #waiting = new Map<string, Waiting>()

  constructor(options: ProcessorOptions) {
    this.#options = options
    this.#batches = new BatchProcessor({
      ...options,
      count: (record, type, result, events) => this.#count(record, type, result, events),
    })
  }

  get waiting(): readonly Waiting[] {
    return [...this.#waiting.values()]
  }

  /**
   * Processes as many of the records together as possible, or the first one. Resolves to the number of finished records; 0 when the worker was
   * stopped. Never rejects.
   */
  async process(records: readonly StoredRecord[], worker: PartitionWorker): Promise<number> {
    const together = await this.#batches.process(records, worker)
    if (together > 0) return together
    return (await this.#processOne(records[0]!, worker)) ? 1 : 0
  }

  async #processOne(record: StoredRecord, worker: PartitionWorker): Promise<boolean> {
    const place = `${record.topic}/${record.partition}`
    const retryState = this.#retryStateAt(place, record.offset)
    try {
      while (!worker.signal.aborted) {
        if (retryState.retryAt > Date.now() && !(await this.#wait(worker, retryState))) return false
        const kind = await this.#attempt(record, worker, retryState)
        if (kind === 'done') {
          this.#retryStates.delete(place)
          return true
        }
        this.#retryStates.set(place, retryState)
      }
      return false
    } finally {
      this.#waiting.delete(place)
    }
  }

  #retryStateAt(place: string, offset: number): RetryState {
    const known = this.#retryStates.get(place)
    if (known?.offset === offset) return known
    return { offset, firstFailedAt: new Date(), attempts: 0, unavailable: 0, conflicts: 0, retryAt: 0 }
  }

  async #attempt(
    record: StoredRecord,
    worker: PartitionWorker,
    retryState: RetryState,
  ): Promise<'done' | 'again'> {
    let type = 'unreadable'
    try {
      const decoded = this.#options.table.decode(record)
      type = decoded.known ? decoded.event.event_type : decoded.type
      this.#count(record, type, await this.#handle(decoded, record, worker, retryState.attempts + 1))
      return 'done'
    } catch (error) {
      return this.#fail(error, type, record, worker, retryState)
    }
  }

  async #handle(
    decoded: Decoded,
    record: StoredRecord,
    worker: PartitionWorker,
    attempt: number,
  ): Promise<string> {
    const replayFor = record.headers[headerNames.replayFor]
    if (!decoded.known || (replayFor !== undefined && replayFor !== this.#options.groupId)) return 'ignored'
    const { event, subscription } = decoded
    const { partition, offset } = record
    const topic = this.#logicalTopic(record)
    const { event_id, event_type, correlation_id: request_id } = event
    const log = lazyLogger(this.#options.log, { request_id, event_id, event_type })
    const ctx = {
      requestId: request_id,
      get log() {
        return log()
      },
      eventId: event_id,
      attempt,
      key: record.key?.toString() ?? null,
      topic,
      partition,
      offset,
      signal: worker.signal,
    }
    const attributes = { 'messaging.destination.name': topic, 'messaging.kafka.offset': offset }
    const slow = setTimeout(() => ctx.log.warn({ topic, partition, offset }, 'handler is slow'), SLOW_MS)
    const handle = () => subscription.handle(event, ctx)
    const handled = traceEvent(record.headers, event_type, attributes, handle)
    const outcome = await handled.finally(() => clearTimeout(slow))
    return outcome === 'duplicate' || outcome === 'ignored' ? outcome : 'applied'
  }

  async #fail(
    error: unknown,
    type: string,
    record: StoredRecord,
    worker: PartitionWorker,
    retryState: RetryState,
  ): Promise<'done' | 'again'> {
    // A handler aborted by the shutdown has not failed.
    if (worker.signal.aborted) return 'again'
    const kind = this.#kindOf(error, retryState)
    if (kind === 'unavailable') {
      retryState.retryAt =
        Date.now() + backoffMs(retryState.unavailable++, UNAVAILABLE_BASE_MS, UNAVAILABLE_MAX_MS)
      this.#announce(error, record, true)
      return 'again'
    }
    if (kind === 'conflict') {
      retryState.retryAt = Date.now() + backoffMs(retryState.conflicts++, 10, 500)
      return 'again'
    }
    retryState.attempts++
    const waitMs = this.#options.retryWaitsMs[retryState.attempts - 1]
    if (kind === 'transient' && waitMs !== undefined) {
      retryState.conflicts = 0
      retryState.retryAt = Date.now() + waitMs * (0.9 + Math.random() * 0.2)
      this.#count(record, type, 'retried')
      this.#announce(error, record, false)
      return 'again'
    }
    return this.#giveUp(error, kind, type, record, worker, retryState)
  }

  #kindOf(error: unknown, retryState: RetryState): ErrorKind {
    const kind = classifyError(error, this.#options.classify)
    return kind === 'conflict' && retryState.conflicts >= MAX_CONFLICTS ? 'transient' : kind
  }

  /** Publishes the dead letter, retrying without limit: the offset must not be committed before it is stored. */
  async #giveUp(
    error: unknown,
    kind: string,
    type: string,
    record: StoredRecord,
    worker: PartitionWorker,
    retryState: RetryState,
  ): Promise<'done' | 'again'> {
    const topic = this.#logicalTopic(record)
    const { attempts, firstFailedAt } = retryState
    const letter = toDeadLetter(record, {
      topic,
      group: this.#options.groupId,
      error,
      kind,
      attempts,
      firstFailedAt,
    })
    for (let failures = 0; !worker.signal.aborted; failures++) {
      try {
        await publishDeadLetter(this.#options.publisher, letter)
        this.#count(record, type, 'dead')
        this.#options.metrics?.deadLetters.inc({ topic })
        this.#options.log.error(
          {
            err: error,
            topic,
            partition: record.partition,
            offset: record.offset,
            attempts,
            event_type: type,
          },
          'event dead-lettered',
        )
        return 'done'
      } catch (unwritten) {
        this.#announce(unwritten, record, true)
        worker.hold(true)
        await sleep(backoffMs(failures, UNAVAILABLE_BASE_MS, UNAVAILABLE_MAX_MS), worker.signal)
        worker.hold(false)
      }
    }
    // Do not commit: the next owner of the partition will reach the same decision.
    retryState.attempts--
    return 'again'
  }

  async #wait(worker: PartitionWorker, retryState: RetryState): Promise<boolean> {
    worker.hold(true)
    await sleep(retryState.retryAt - Date.now(), worker.signal)
    if (worker.signal.aborted) return false
    worker.hold(false)
    return true
  }

  #announce(error: unknown, record: StoredRecord, unavailable: boolean): void {
    const place = `${record.topic}/${record.partition}`
    const known = this.#waiting.get(place)
    const waiting: Waiting = {
      topic: this.#logicalTopic(record),
      partition: record.partition,
      offset: record.offset,
      since: known?.since ?? new Date(),
      unavailable,
      reason: describeError(error),
    }
    this.#waiting.set(place, waiting)
    if (!known || !unavailable || known.unavailable !== unavailable) {
      this.#options.log.warn(
        { err: error, ...waiting },
        unavailable ? 'store unavailable, retrying' : 'event failed, retrying',
      )
    }
  }

  #logicalTopic(record: StoredRecord): string {
    return record.topic.slice(this.#options.topicPrefix.length)
  }

  #count(record: StoredRecord, type: string, result: string, events = 1): void {
    // The header is untrusted: only well-formed types become a label.
    const eventType = /^[A-Za-z]{1,64}$/.test(type) ? type : 'unreadable'
    const labels = { topic: this.#logicalTopic(record), event_type: eventType, result }
    this.#options.metrics?.events.inc(labels, events)
  }
}

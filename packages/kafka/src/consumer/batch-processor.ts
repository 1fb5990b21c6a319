import type { EventBase } from '@bigtech/contracts'
import type { Logger } from 'pino'
import type { StoredRecord } from '../driver/port.ts'
import { headerNames } from '../record.ts'
import { traceEvents } from '../tracing.ts'
import type { Decoded, HandlerTable, Subscription } from './handlers.ts'
import type { PartitionWorker } from './partition-worker.ts'

export interface BatchProcessorOptions {
  readonly topicPrefix: string
  readonly table: HandlerTable
  readonly log: Logger
  readonly count: (record: StoredRecord, type: string, result: string, events: number) => void
}

/** Time after which a running handler is logged: a hanging handler blocks its partition silently. */
export const SLOW_MS = 30_000

type ManyHandler = Subscription['handleMany'] & {}

/** Consecutive records of a partition that one handler applies together. */
interface Batch {
  readonly type: string
  readonly handle: ManyHandler
  /** Including those of types without a handler. */
  readonly records: readonly StoredRecord[]
  readonly events: readonly EventBase[]
  readonly ignored: readonly string[]
}

/** Handles consecutive records together if their events have a handler for many. */
export class BatchProcessor {
  readonly #options: BatchProcessorOptions
  /** By partition: the last offset of a batch that failed, up to which each record is handled alone. */
  readonly #aloneUntil = new Map<string, number>()

  constructor(options: BatchProcessorOptions) {
    this.#options = options
  }

  /** Resolves to the number of finished records; 0 when the first record must be handled alone. Never rejects. */
  async process(records: readonly StoredRecord[], worker: PartitionWorker): Promise<number> {
    const batch = this.#isAlone(records[0]!) ? undefined : this.#batchOf(records)
    if (!batch) return 0
    try {
      await this.#handle(batch)
      return batch.records.length
    } catch (err) {
      if (worker.signal.aborted) return 0
      const last = batch.records.at(-1)!
      const fields = { err, event_type: batch.type, events: batch.events.length }
      this.#options.log.debug(fields, 'events failed together, handling each alone')
      this.#aloneUntil.set(placeOf(last), last.offset)
      return 0
    }
  }

  #isAlone(record: StoredRecord): boolean {
    const until = this.#aloneUntil.get(placeOf(record))
    if (until === undefined || record.offset <= until) return until !== undefined
    this.#aloneUntil.delete(placeOf(record))
    return false
  }

  /** Returns the longest batch from the first record on; undefined for a single event. */
  #batchOf(records: readonly StoredRecord[]): Batch | undefined {
    if (records.length === 1 || !this.#options.table.handlesMany(records[0]!)) return undefined
    let subscription: Subscription | undefined
    const events: EventBase[] = []
    const ignored: string[] = []
    for (const record of records) {
      const decoded = this.#decode(record)
      if (!decoded) break
      if (!decoded.known) {
        ignored.push(decoded.type)
        continue
      }
      subscription ??= decoded.subscription
      if (decoded.subscription !== subscription) break
      events.push(decoded.event)
    }
    if (!subscription?.handleMany || events.length < 2) return undefined
    const { definition, handleMany: handle } = subscription
    const { type } = definition
    return { type, handle, events, ignored, records: records.slice(0, events.length + ignored.length) }
  }

  /** Returns undefined for a record that has to be looked at alone: unreadable, or replayed for one group. */
  #decode(record: StoredRecord): Decoded | undefined {
    if (record.headers[headerNames.replayFor] !== undefined) return undefined
    try {
      return this.#options.table.decode(record)
    } catch {
      return undefined
    }
  }

  async #handle({ type, handle, records, events, ignored }: Batch): Promise<void> {
    const { log, count, topicPrefix } = this.#options
    const first = records[0]!
    const topic = first.topic.slice(topicPrefix.length)
    const { partition, offset } = first
    const slow = setTimeout(
      () => log.warn({ topic, partition, offset, event_type: type }, 'handler is slow'),
      SLOW_MS,
    )
    const attributes = {
      'messaging.destination.name': topic,
      'messaging.batch.message_count': events.length,
    }
    const headers = records.map((record) => record.headers)
    const handled = traceEvents(headers, type, attributes, () => handle(events))
    const outcomes = await handled.finally(() => clearTimeout(slow))
    for (const [outcome, some] of Map.groupBy(outcomes, (each) => each))
      count(first, type, outcome, some.length)
    for (const [name, some] of Map.groupBy(ignored, (each) => each))
      count(first, name, 'ignored', some.length)
  }
}

function placeOf({ topic, partition }: StoredRecord): string {
  return `${topic}/${partition}`
}

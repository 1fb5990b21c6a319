import {
  backoffMs,
  describeError,
  type KafkaRecord,
  type Publisher,
  RecordRejected,
  settledWithin,
  sleep,
} from '@bigtech/kafka'
import { classifyStoreError } from '@bigtech/stores'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { relayMetrics } from './metrics.ts'

export interface OutboxRow<Id> {
  readonly id: Id
  readonly record: KafkaRecord
}

/** Where events wait: a table, or in chat-service the log of messages itself. */
export interface OutboxStore<Id> {
  /** The oldest unsent rows, in the order in which they must be published; about `limit` of them. */
  fetchUnsent(limit: number): Promise<OutboxRow<Id>[]>
  markSent(ids: readonly Id[]): Promise<void>
  /** Parks a row that Kafka will never accept, so that it does not block the rows behind it. */
  park(id: Id, reason: string): Promise<void>
  backlog(): Promise<{ readonly events: number; readonly oldestSeconds: number }>
  /** Deletes a small number of rows published long ago; returns how many. */
  purge?(): Promise<number>
}

/** Of all relays of one outbox only the holder publishes: two at a time would invert the order. */
export interface RelayLock {
  /** Takes the lock without waiting for it. */
  tryLock(): Promise<boolean>
  /** Asks whether it is still ours. True holds for at least 20 s more, whatever happens to this process. */
  isHeld(): Promise<boolean>
  unlock(): Promise<void>
}

export interface OutboxRelayOptions<Id> {
  readonly lock: RelayLock
  readonly store: OutboxStore<Id>
  readonly publisher: Publisher
  readonly log: Logger
  readonly registry?: Registry
  readonly batchSize?: number
  /** How often an idle relay polls for events stored without a `wake`. Default 1 s. */
  readonly restMs?: number
  readonly purgeEveryMs?: number
}

export interface OutboxRelay {
  start(): void
  /** To be called after a commit: the event leaves within milliseconds, or within 100 ms when another process is at work. */
  wake(): void
  readonly holdsLock: boolean
  /** Finishes the batch in hand and gives the lock to the next process. */
  stop(): Promise<void>
}

/** Rows of a batch that are still to be published. */
interface Waiting {
  readonly err: unknown
  readonly events: number
}

const MAX_BACKOFF_MS = 2_000
/** How long the holder waits for more before it gives the lock back, and how soon the others ask for it again. */
const LINGER_MS = 100
const BACKLOG_EVERY_MS = 5_000
const STOP_TIMEOUT_MS = 15_000

/**
 * Publishes what waits in an outbox: at least once, in order per key. A batch is marked only after
 * Kafka has acknowledged it, so a crash between the two publishes it again (consumers have an inbox).
 *
 * The lock is held only while there is work: whichever process commits next takes it at once, and processes at rest
 * cost one query a second.
 */
export function createOutboxRelay<Id>(options: OutboxRelayOptions<Id>): OutboxRelay {
  return new Relay(options)
}

class Relay<Id> implements OutboxRelay {
  readonly #options: OutboxRelayOptions<Id>
  readonly #log: Logger
  readonly #metrics: ReturnType<typeof relayMetrics> | undefined
  readonly #stopping = new AbortController()
  #nap = new AbortController()
  #woken = false
  #loop: Promise<void> | undefined
  #holdsLock = false
  #backlogAt = 0
  #purgeAt = 0

  constructor(options: OutboxRelayOptions<Id>) {
    this.#options = options
    this.#log = options.log.child({ component: 'outbox-relay' })
    this.#metrics = options.registry && relayMetrics(options.registry)
  }

  get holdsLock(): boolean {
    return this.#holdsLock
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  wake(): void {
    this.#woken = true
    this.#nap.abort()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#nap.abort()
    if (this.#loop) await settledWithin(this.#loop, STOP_TIMEOUT_MS)
    await settledWithin(this.#options.lock.unlock(), 1_000)
  }

  async #run(): Promise<void> {
    const { lock, restMs = 1_000 } = this.#options
    const { signal } = this.#stopping
    let failures = 0
    let refusals = 0
    while (!signal.aborted) {
      this.#nap = new AbortController()
      if (this.#woken) refusals = 0
      try {
        if (!(await this.#hasWork())) {
          await sleep(restMs * (1 + Math.random() / 4), this.#nap.signal)
        } else if (await lock.tryLock()) {
          this.#holdsLock = true
          await this.#lead()
          this.#stepDown()
          await lock.unlock()
          refusals = 0
        } else {
          // Another process is at work and takes ours along. No wake-up shortens this: each would be a query.
          await sleep(backoffMs(refusals++, LINGER_MS, restMs), signal)
        }
        failures = 0
      } catch (err) {
        this.#stepDown()
        const waitMs = backoffMs(failures++, 200, MAX_BACKOFF_MS)
        // The stack of a store outage carries no information.
        const reason =
          classifyStoreError(err) === 'unavailable'
            ? { reason: describeError((err as Error).cause ?? err) }
            : { err }
        this.#log.warn({ ...reason, wait_ms: waitMs }, 'outbox cannot be reached')
        await sleep(waitMs, signal)
      }
    }
  }

  async #hasWork(): Promise<boolean> {
    const { store } = this.#options
    const isPurgeDue = store.purge !== undefined && Date.now() >= this.#purgeAt
    const known = this.#woken || isPurgeDue
    this.#woken = false
    return known || (await store.fetchUnsent(1)).length > 0
  }

  #stepDown(): void {
    this.#holdsLock = false
    // The next holder reports; two reports of one outbox would be added up.
    this.#metrics?.backlog.set(0)
    this.#metrics?.oldest.set(0)
  }

  /** Publishes until nothing is left and nothing comes for a moment, or the lock is lost. */
  async #lead(): Promise<void> {
    const { lock, batchSize = 500 } = this.#options
    let failures = 0
    let isQuiet = false
    while (!this.#stopping.signal.aborted) {
      // Renewed before the look: a wake-up that comes while it is under way must not be lost.
      this.#nap = new AbortController()
      this.#woken = false
      await this.#housekeeping()
      const rows = await this.#options.store.fetchUnsent(batchSize)
      if (rows.length === 0) {
        this.#reportOutage(failures, undefined)
        failures = 0
        if (isQuiet) return
        isQuiet = true
        await sleep(LINGER_MS, this.#nap.signal)
        continue
      }
      isQuiet = false
      if (!(await lock.isHeld())) {
        this.#log.warn('lost the outbox lock')
        return
      }
      const waiting = await this.#publish(rows)
      this.#reportOutage(failures, waiting)
      if (waiting) await sleep(backoffMs(failures++, 200, MAX_BACKOFF_MS), this.#stopping.signal)
      else failures = 0
    }
  }

  /** Said once when it begins and once when it ends, not with every try. */
  #reportOutage(failures: number, waiting: Waiting | undefined): void {
    if (waiting && failures === 0) this.#log.warn(waiting, 'events wait for Kafka')
    if (!waiting && failures > 0) this.#log.info({ failures }, 'Kafka takes events again')
  }

  /** Says what Kafka did not take for the time being. */
  async #publish(rows: readonly OutboxRow<Id>[]): Promise<Waiting | undefined> {
    const { publisher, store } = this.#options
    const outcomes = await publisher.publishEach(rows.map(({ record }) => record))
    const stored = rows.filter((_row, index) => outcomes[index] === undefined)
    if (stored.length > 0) await store.markSent(stored.map(({ id }) => id))
    this.#metrics?.published.inc(stored.length)
    let waiting = 0
    let err: unknown
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome instanceof RecordRejected) await this.#park(rows[index]!, outcome)
      else if (outcome) {
        waiting++
        err = outcome
      }
    }
    return waiting > 0 ? { err, events: waiting } : undefined
  }

  async #park(row: OutboxRow<Id>, error: RecordRejected): Promise<void> {
    const { topic, headers } = row.record
    await this.#options.store.park(row.id, describeError(error))
    this.#metrics?.parked.inc()
    this.#log.error({ err: error, topic, event_id: headers.ce_id }, 'event parked: Kafka refuses it')
  }

  async #housekeeping(): Promise<void> {
    const now = Date.now()
    const { store, purgeEveryMs = 10_000 } = this.#options
    if (this.#metrics && now >= this.#backlogAt) {
      this.#backlogAt = now + BACKLOG_EVERY_MS
      const { events, oldestSeconds } = await store.backlog()
      this.#metrics.backlog.set(events)
      this.#metrics.oldest.set(oldestSeconds)
    }
    if (store.purge && now >= this.#purgeAt) {
      const deleted = await store.purge()
      // A full batch means that more rows wait: continue soon, but yield to the event loop first.
      this.#purgeAt = now + (deleted > 0 ? purgeEveryMs / 10 : purgeEveryMs)
    }
  }
}

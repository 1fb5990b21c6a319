import {
  backoffMs,
  describeError,
  type KafkaRecord,
  type Publisher,
  RecordRejected,
  settledWithin,
  sleep,
  untilTick,
} from '@bigtech/kafka'
import { classifyStoreError } from '@bigtech/stores'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { relayMetrics } from './metrics.ts'

export interface OutboxRow<Id> {
  readonly id: Id
  readonly record: KafkaRecord
}

/** Storage of unpublished events: a table, or the message log in chat-service. */
export interface OutboxStore<Id> {
  /** Returns the oldest unsent rows in publication order; about `limit` of them. */
  fetchUnsent(limit: number): Promise<OutboxRow<Id>[]>
  /** Returns whether there are unsent rows: asked once a second while idle. Default: fetches one. */
  hasUnsent?(): Promise<boolean>
  markSent(ids: readonly Id[]): Promise<void>
  /** Parks a row that Kafka permanently rejects, so that it does not block the rows behind it. */
  park(id: Id, reason: string): Promise<void>
  backlog(): Promise<{ readonly events: number; readonly oldestSeconds: number }>
  /**
   * Reports that this process acquired the lock, or released or may have lost it. Only while leading may a store rely on what it
   * remembers, and record sent rows later than `markSent`.
   */
  setLeading?(isLeading: boolean): void
  /** Records all sent rows; called before the lock is released. */
  settle?(): Promise<void>
  /** Deletes a small batch of rows published long ago; returns their number. */
  purge?(): Promise<number>
}

/** Elects the only publishing relay of an outbox: two publishers would reorder events. */
export interface RelayLock {
  /** Tries to acquire the lock without waiting. */
  tryLock(): Promise<boolean>
  /** Checks that the lock is still held. True guarantees at least 20 s more, even if this process hangs. */
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
  /** Polling interval of an idle relay for events stored without a `wake`. Default 1 s. */
  readonly restMs?: number
  readonly purgeEveryMs?: number
}

export interface OutboxRelay {
  start(): void
  /**
   * Triggers publication; call after a commit. The event is published within milliseconds, or within 100 ms
   * when another process holds the lock.
   */
  wake(): void
  readonly holdsLock: boolean
  /** Finishes the in-flight batch and releases the lock. */
  stop(): Promise<void>
}

/** Rows of a batch that are not yet published. */
interface Waiting {
  readonly err: unknown
  readonly events: number
}

const MAX_BACKOFF_MS = 2_000
const TICK_MS = 1_000
/** How long the holder waits for more rows before it releases the lock, and how soon others retry to acquire it. */
const LINGER_MS = 100
const BACKLOG_EVERY_MS = 5_000
/** Takes the lock and five queries. More often than a session may be idle, which would be opened again each time. */
const PURGE_EVERY_MS = 30_000
const PURGE_AGAIN_MS = 1_000
const STOP_TIMEOUT_MS = 15_000
/** A constant, because each commit wakes the relay, and the default reason is a new exception with its stack. */
const WOKEN = 'woken'

/**
 * Publishes the rows of an outbox: at least once, in order per key. Marks a batch only after Kafka has
 * acknowledged it, so a crash in between publishes it again (consumers have an inbox).
 *
 * Holds the lock only while there is work: the next committing process acquires it immediately, and idle
 * processes cost one query a second.
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
    this.#nap.abort(WOKEN)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#nap.abort()
    if (this.#loop) await settledWithin(this.#loop, STOP_TIMEOUT_MS)
    await settledWithin(this.#options.lock.unlock(), 1_000)
  }

  async #run(): Promise<void> {
    const { lock, store, restMs = 1_000 } = this.#options
    const { signal } = this.#stopping
    let failures = 0
    let refusals = 0
    while (!signal.aborted) {
      this.#nap = new AbortController()
      if (this.#woken) refusals = 0
      try {
        if (!(await this.#hasWork())) {
          await sleep(untilTick(restMs, Math.max(TICK_MS, restMs)), this.#nap.signal)
        } else if (await lock.tryLock()) {
          this.#holdsLock = true
          store.setLeading?.(true)
          await this.#lead()
          await store.settle?.()
          this.#stepDown()
          await lock.unlock()
          refusals = 0
        } else {
          // The lock holder also publishes our rows. A wake-up does not shorten this wait: each would cost a
          // query.
          await sleep(backoffMs(refusals++, LINGER_MS, Math.min(TICK_MS, restMs)), signal)
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
        this.#log.warn({ ...reason, wait_ms: waitMs }, 'outbox unreachable, retrying')
        await sleep(waitMs, signal)
      }
    }
  }

  async #hasWork(): Promise<boolean> {
    const { store } = this.#options
    const isPurgeDue = store.purge !== undefined && Date.now() >= this.#purgeAt
    const known = this.#woken || isPurgeDue
    this.#woken = false
    return known || (store.hasUnsent ? await store.hasUnsent() : (await store.fetchUnsent(1)).length > 0)
  }

  #stepDown(): void {
    this.#holdsLock = false
    this.#options.store.setLeading?.(false)
    // The next holder reports; two reports of one outbox would be summed.
    this.#metrics?.backlog.set(0)
    this.#metrics?.oldest.set(0)
  }

  /** Publishes until the outbox stays empty for `LINGER_MS`, or the lock is lost. */
  async #lead(): Promise<void> {
    const { lock, batchSize = 500 } = this.#options
    let failures = 0
    let isQuiet = false
    while (!this.#stopping.signal.aborted) {
      // Renewed before the query, so that a wake-up during the query is not lost.
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

  /** Logs an outage once at its start and once at its end, not on every retry. */
  #reportOutage(failures: number, waiting: Waiting | undefined): void {
    if (waiting && failures === 0) this.#log.warn(waiting, 'Kafka unavailable, events are queued')
    if (!waiting && failures > 0) this.#log.info({ failures }, 'Kafka is available again')
  }

  /** Publishes rows and returns those that Kafka temporarily rejected. */
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
    this.#log.error({ err: error, topic, event_id: headers.ce_id }, 'event parked, rejected by Kafka')
  }

  async #housekeeping(): Promise<void> {
    const now = Date.now()
    const { store, purgeEveryMs = PURGE_EVERY_MS } = this.#options
    if (this.#metrics && now >= this.#backlogAt) {
      this.#backlogAt = now + BACKLOG_EVERY_MS
      const { events, oldestSeconds } = await store.backlog()
      this.#metrics.backlog.set(events)
      this.#metrics.oldest.set(oldestSeconds)
    }
    if (store.purge && now >= this.#purgeAt) {
      const deleted = await store.purge()
      // A full batch means that more rows wait: continue soon, but yield to the event loop first.
      this.#purgeAt = now + (deleted > 0 ? Math.min(PURGE_AGAIN_MS, purgeEveryMs) : purgeEveryMs)
    }
  }
}

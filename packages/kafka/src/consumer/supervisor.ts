import type { Logger } from 'pino'
import type { Assignment, ConsumerPort, RecordBatch } from '../driver/port.ts'
import { KafkaUnavailable } from '../errors.ts'
import type { KafkaConnection } from '../kafka.ts'
import { backoffMs, settledWithin, sleep, within } from '../timing.ts'

export interface SupervisorOptions {
  readonly kafka: KafkaConnection
  readonly groupId: string
  readonly topics: readonly string[]
  readonly startFrom: 'earliest' | 'latest'
  readonly sessionTimeoutMs: number
  readonly isOnlyMember?: boolean
  readonly gatherMs?: number
  readonly log: Logger
  readonly onJoin: (port: ConsumerPort, assignment: Assignment) => void
  readonly onBatch: (batch: RecordBatch) => void
  readonly onEnd?: (topic: string, partition: number, end: number) => void
  /** Called when the assignment is lost: the next owner fetches every uncommitted record again. */
  readonly onLost: () => void
  readonly onFatal: (error: Error) => void
}

const START_TIMEOUT_MS = 60_000
const CLOSE_TIMEOUT_MS = 5_000
const WATCH_EVERY_MS = 15_000
/** A consumer fetches every 3 s at least: without a fetch or heartbeat for this long it is considered hung. */
const SILENCE_MS = 60_000
const HEALTHY_AFTER_MS = 60_000
const MAX_STRIKES = 3
/** Short, because presence and revocations are stale until the consumer is back. */
const MAX_BACKOFF_MS = 3_000

/**
 * Keeps one consumer running and replaces it whenever it fails. Waits for unavailable brokers without limit.
 * Three consecutive failures for any other reason (not authorized, unknown topic, a client bug) are fatal:
 * exiting is better than running without consuming.
 */
export class ConsumerSupervisor {
  readonly #options: SupervisorOptions
  readonly #stopping = new AbortController()
  #port: ConsumerPort | undefined
  #joinedAt: number | undefined
  #lastActivity = 0
  #failures = 0
  #strikes = 0
  #loop: Promise<void> | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  /** Returns the live consumer while it is a member of its group. */
  get port(): ConsumerPort | undefined {
    return this.#joinedAt === undefined ? undefined : this.#port
  }

  /** Returns whether the consumer is a member of its group and Kafka responded within the last `silenceMs`. */
  isAlive(silenceMs: number): boolean {
    return this.port !== undefined && Date.now() - this.#lastActivity < silenceMs
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  /** Leaves the group; bounded in time. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    if (this.#loop) await settledWithin(this.#loop, CLOSE_TIMEOUT_MS + 1_000)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const error = await this.#liveOnce()
      this.#joinedAt = undefined
      if (signal.aborted) return
      this.#options.onLost()
      if (!(error instanceof KafkaUnavailable) && ++this.#strikes >= MAX_STRIKES) {
        this.#options.log.fatal({ err: error }, 'consumer failed permanently')
        this.#options.onFatal(error)
        return
      }
      const waitMs = backoffMs(this.#failures, 300, MAX_BACKOFF_MS)
      // Log an outage of the brokers once, not every few seconds.
      const level = this.#failures++ === 0 ? 'warn' : 'debug'
      this.#options.log[level]({ err: error, wait_ms: waitMs }, 'consumer failed, replacing it')
      await sleep(waitMs, signal)
    }
  }

  /** Opens a consumer and resolves with the reason of its failure. */
  async #liveOnce(): Promise<Error> {
    const end = Promise.withResolvers<Error>()
    const stopped = () => end.resolve(new Error('stopped'))
    this.#stopping.signal.addEventListener('abort', stopped, { once: true })
    const watchdog = setInterval(() => this.#watch(end.resolve), WATCH_EVERY_MS)
    const port = this.#create(end.resolve)
    this.#port = port
    this.#lastActivity = Date.now()
    try {
      const late = () => new KafkaUnavailable(`could not join within ${START_TIMEOUT_MS} ms`)
      await Promise.race([within(port.start(), START_TIMEOUT_MS, late), end.promise])
      return await end.promise
    } catch (error) {
      return error as Error
    } finally {
      clearInterval(watchdog)
      this.#stopping.signal.removeEventListener('abort', stopped)
      if (!(await settledWithin(port.close(), CLOSE_TIMEOUT_MS))) {
        this.#options.log.warn('consumer close timed out')
      }
    }
  }

  #create(onDeath: (error: Error) => void): ConsumerPort {
    const {
      kafka,
      topics,
      groupId,
      startFrom,
      sessionTimeoutMs,
      isOnlyMember = false,
      gatherMs = 0,
      onJoin,
      onBatch,
      onEnd = () => {},
    } = this.#options
    let member: string | undefined
    let dead = false
    const die = (error: Error) => {
      dead = true
      onDeath(error)
    }
    const port: ConsumerPort = kafka.driver.createConsumer({
      groupId: kafka.topicPrefix + groupId,
      topics: topics.map((topic) => kafka.topicPrefix + topic),
      ...{ startFrom, sessionTimeoutMs, isOnlyMember, gatherMs, onEnd },
      onJoin: (memberId, assignment) => {
        // Other members owned our partitions in the meantime, and pending fetches are stale: only a new
        // consumer is guaranteed to start at the committed positions.
        if (member !== undefined && member !== memberId) die(new KafkaUnavailable('membership was lost'))
        member = memberId
        if (dead) return
        this.#joinedAt = Date.now()
        if (this.#failures > 0) this.#options.log.info({ failures: this.#failures }, 'consumer recovered')
        this.#failures = 0
        onJoin(port, assignment)
      },
      onBatch: (batch) => {
        if (!dead) onBatch(batch)
      },
      onCrash: die,
      onActivity: () => {
        this.#lastActivity = Date.now()
        if (this.#joinedAt && this.#lastActivity - this.#joinedAt > HEALTHY_AFTER_MS) this.#strikes = 0
      },
    })
    return port
  }

  #watch(onDeath: (error: Error) => void): void {
    const silentMs = Date.now() - this.#lastActivity
    if (this.#joinedAt && silentMs > SILENCE_MS) onDeath(new Error(`consumer silent for ${silentMs} ms`))
  }
}

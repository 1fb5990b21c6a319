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
  readonly log: Logger
  readonly onJoin: (port: ConsumerPort, assignment: Assignment) => void
  readonly onBatch: (batch: RecordBatch) => void
  /** The next owner of the partitions fetches every uncommitted record again. */
  readonly onLost: () => void
  readonly onFatal: (error: Error) => void
}

const START_TIMEOUT_MS = 60_000
const CLOSE_TIMEOUT_MS = 5_000
const WATCH_EVERY_MS = 5_000
/** A consumer fetches once a second: this long without a fetch or a heartbeat, it only looks alive. */
const SILENCE_MS = 60_000
const HEALTHY_AFTER_MS = 60_000
const MAX_STRIKES = 3
/** Short: presence and revocations are behind until it is back. */
const MAX_BACKOFF_MS = 3_000

/**
 * Keeps one consumer alive: opens it, and opens a new one whenever it dies. Brokers that are away
 * are waited for without limit. Three deaths in a row for any other reason (not authorised, unknown
 * topic, a bug in the client) are fatal: the process had better end than look alive and do nothing.
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

  /** The live consumer, while it is a member of its group. */
  get port(): ConsumerPort | undefined {
    return this.#joinedAt === undefined ? undefined : this.#port
  }

  /** Whether it is a member of its group and heard of Kafka within the last `silenceMs`. */
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
      this.#options.log[level]({ err: error, wait_ms: waitMs }, 'consumer died, a new one is opened')
      await sleep(waitMs, signal)
    }
  }

  /** Opens a consumer and resolves with the reason of its death. */
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
        this.#options.log.warn('consumer did not close in time')
      }
    }
  }

  #create(onDeath: (error: Error) => void): ConsumerPort {
    const { kafka, topics, groupId, startFrom, sessionTimeoutMs, onJoin, onBatch } = this.#options
    let member: string | undefined
    let dead = false
    const die = (error: Error) => {
      dead = true
      onDeath(error)
    }
    const port: ConsumerPort = kafka.driver.createConsumer({
      groupId: kafka.topicPrefix + groupId,
      topics: topics.map((topic) => kafka.topicPrefix + topic),
      startFrom,
      sessionTimeoutMs,
      onJoin: (memberId, assignment) => {
        // Others had our partitions meanwhile, and what is still being fetched belongs to the time before:
        // only a new consumer starts again at the committed positions for certain.
        if (member !== undefined && member !== memberId) die(new KafkaUnavailable('membership was lost'))
        member = memberId
        if (dead) return
        this.#joinedAt = Date.now()
        if (this.#failures > 0) this.#options.log.info({ failures: this.#failures }, 'consumer is back')
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

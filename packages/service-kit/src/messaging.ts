import { userSessionRevoked } from '@bigtech/contracts'
import {
  createBroadcastConsumer,
  createConsumerRunner,
  createKafka,
  createPublisher,
  type KafkaConnection,
  kafkaSecurity,
  on,
  type Publisher,
  type Subscription,
} from '@bigtech/kafka'
import { createOutboxRelay, type OutboxRelay, type OutboxStore } from '@bigtech/outbox'
import { classifyStoreError } from '@bigtech/stores'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { BaseConfig } from './config.ts'
import { exitAfterStop } from './fatal.ts'
import type { Readiness } from './health.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { RevocationList } from './revocations.ts'

/** The lifetime of an access token: no valid token is affected by an older revocation. */
const LOOK_BACK_MS = 10 * 60 * 1_000

export interface MessagingOptions {
  /** The service's name: client id, and prefix of its consumer groups. */
  readonly name: string
  readonly config: Pick<
    BaseConfig,
    | 'KAFKA_BROKERS'
    | 'KAFKA_TOPIC_PREFIX'
    | 'KAFKA_TLS'
    | 'KAFKA_CA_FILE'
    | 'KAFKA_SASL_MECHANISM'
    | 'KAFKA_USERNAME'
    | 'KAFKA_PASSWORD'
  >
  readonly log: Logger
  readonly metrics: Registry
  readonly lifecycle: Lifecycle
  readonly readiness: Readiness
  readonly revocations: RevocationList
}

export interface SubscribeOptions {
  /** Start of a group without committed offsets. Default `earliest`. */
  readonly startFrom?: 'earliest' | 'latest'
  /** For work that may be this late: while many events arrive, fetches them at most this often. Default 0. */
  readonly gatherMs?: number
}

interface Startable {
  start(): void
}

/** A service's Kafka clients: publisher, relays and consumers. Nothing runs before `start`. */
export class Messaging {
  readonly kafka: KafkaConnection
  readonly publisher: Publisher
  readonly #options: MessagingOptions
  readonly #onFatal: (err: Error) => void
  readonly #startables: Startable[] = []
  readonly #broadcast: Subscription[] = []

  constructor(options: MessagingOptions) {
    const { name, config, log, lifecycle, readiness } = options
    this.#options = options
    this.#onFatal = exitAfterStop(lifecycle, log)
    this.kafka = createKafka({
      clientId: name,
      brokers: config.KAFKA_BROKERS,
      topicPrefix: config.KAFKA_TOPIC_PREFIX,
      security: kafkaSecurity(config),
      log,
    })
    this.publisher = createPublisher({ kafka: this.kafka })
    // Optional: during a Kafka outage events wait in the outbox, and restarting or rerouting would not help.
    readiness.add({ name: 'kafka', ping: () => this.kafka.ping(), optional: true })
    lifecycle.onStop('producers', 'kafka', () => this.kafka.close())
    lifecycle.onStop('producers', 'publisher', () => this.publisher.stop())
  }

  /** Adds a consumer group `<service>.<purpose>`: one process of the group handles each event. */
  subscribe(purpose: string, handlers: readonly Subscription[], options: SubscribeOptions = {}): void {
    const { name, log, metrics, lifecycle } = this.#options
    const groupId = `${name}.${purpose}`
    const consumer = createConsumerRunner({
      kafka: this.kafka,
      groupId,
      handlers,
      publisher: this.publisher,
      log,
      registry: metrics,
      classify: classifyStoreError,
      onFatal: this.#onFatal,
      ...options,
    })
    this.#startables.push(consumer)
    lifecycle.onStop('consumers', groupId, () => consumer.stop())
  }

  /**
   * Adds handlers that run on every process, for in-memory state. They also receive the last 10 minutes
   * before the start.
   */
  subscribeEveryProcess(handlers: readonly Subscription[]): void {
    this.#broadcast.push(...handlers)
  }

  /** Subscribes to revoked sessions; the process becomes ready after reading those of the last 10 minutes. */
  followRevocations(): void {
    this.subscribeEveryProcess([
      on(userSessionRevoked, async (event) => this.#options.revocations.add(event.session_ids)),
    ])
    this.#options.readiness.add({
      name: 'revocations',
      ping: async () => {
        if (!this.#caughtUp()) throw new Error('revoked sessions are not loaded yet')
      },
    })
  }

  /** Adds a relay; the process that holds its lock publishes the pending events of its store. */
  addRelay<Id>(options: {
    readonly name: string
    readonly store: OutboxStore<Id>
    readonly lock: Parameters<typeof createOutboxRelay>[0]['lock']
    readonly restMs?: number
    readonly close: () => Promise<void>
  }): OutboxRelay {
    const { log, metrics, lifecycle } = this.#options
    const relay = createOutboxRelay<Id>({
      lock: options.lock,
      store: options.store,
      publisher: this.publisher,
      log: log.child({ outbox: options.name }),
      registry: metrics,
      ...(options.restMs !== undefined && { restMs: options.restMs }),
    })
    this.#startables.push(relay)
    lifecycle.onStop('producers', `${options.name} relay`, async () => {
      await relay.stop()
      await options.close()
    })
    return relay
  }

  start(): void {
    if (this.#broadcast.length > 0) this.#startBroadcast()
    for (const each of this.#startables) each.start()
  }

  #caughtUp = (): boolean => false

  #startBroadcast(): void {
    const { name, log, metrics, lifecycle } = this.#options
    const consumer = createBroadcastConsumer({
      kafka: this.kafka,
      name: `${name}.live`,
      handlers: mergeByEvent(this.#broadcast),
      sinceMs: LOOK_BACK_MS,
      log,
      registry: metrics,
      onFatal: this.#onFatal,
    })
    this.#caughtUp = () => consumer.health().caughtUp
    lifecycle.onStop('consumers', `${name}.live`, () => consumer.stop())
    consumer.start()
  }
}

/** Merges the handlers of several modules for the same event: each is called in turn, even if an earlier one fails. */
function mergeByEvent(handlers: readonly Subscription[]): Subscription[] {
  return [...Map.groupBy(handlers, ({ definition }) => definition)].map(([definition, same]) => ({
    definition,
    handle: async (event, ctx) => {
      for (const { handle } of same) {
        await handle(event, ctx).catch((err: unknown) =>
          ctx.log.error({ err, event_type: definition.type }, 'event handler failed'),
        )
      }
    },
  }))
}

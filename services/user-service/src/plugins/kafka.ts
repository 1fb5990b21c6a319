import {
  type BroadcastConsumer,
  type ConsumerRunner,
  createBroadcastConsumer,
  createConsumerRunner,
  createKafka,
  createPublisher,
  type KafkaConnection,
  type Publisher,
  type Subscription,
} from '@bigtech/kafka'
import { createMySqlOutboxRelay } from '@bigtech/outbox'
import type { Service } from '@bigtech/service-kit'
import { classifyStoreError } from '@bigtech/stores'
import type { Config } from '../config.ts'

export interface Messaging {
  readonly kafka: KafkaConnection
  readonly publisher: Publisher
  /** To be called after a commit that stored an event. */
  wakeRelay(): void
  /** Adds a consumer; it runs from `start` on. */
  consume(options: {
    groupId: string
    handlers: readonly Subscription[]
    startFrom?: 'earliest' | 'latest'
  }): ConsumerRunner
  /** Adds a consumer that tells every process everything, also what it missed of the last `sinceMs`. */
  listen(options: { name: string; handlers: readonly Subscription[]; sinceMs: number }): void
  start(): void
}

/** Kafka: the publisher, the relay of our outbox, our consumers. Nothing runs before `start`. */
export function openMessaging(service: Service, config: Config): Messaging {
  const { log, metrics: registry, lifecycle, readiness } = service
  const kafka = createKafka({
    clientId: 'user-service',
    brokers: config.KAFKA_BROKERS,
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    log,
  })
  const publisher = createPublisher({ kafka })
  const relay = createMySqlOutboxRelay({ databaseUrl: config.DATABASE_URL, publisher, log, registry })
  const consumers: (ConsumerRunner | BroadcastConsumer)[] = []
  const onFatal = () => process.exit(1)

  // Optional: while Kafka is away events wait in the outbox, and another instance would be no better.
  readiness.add({ name: 'kafka', ping: () => kafka.ping(), optional: true })
  lifecycle.onStop('producers', 'kafka', () => kafka.close())
  lifecycle.onStop('producers', 'publisher', () => publisher.stop())
  lifecycle.onStop('producers', 'outbox relay', () => relay.stop())

  return {
    kafka,
    publisher,
    wakeRelay: () => relay.wake(),
    consume: ({ groupId, handlers, startFrom = 'earliest' }) => {
      const runner = createConsumerRunner({
        kafka,
        groupId,
        handlers,
        log,
        registry,
        publisher,
        startFrom,
        classify: classifyStoreError,
        onFatal,
      })
      consumers.push(runner)
      lifecycle.onStop('consumers', groupId, () => runner.stop())
      return runner
    },
    listen: (options) => {
      const listener = createBroadcastConsumer({ kafka, log, registry, onFatal, ...options })
      consumers.push(listener)
      lifecycle.onStop('consumers', options.name, () => listener.stop())
    },
    start: () => {
      relay.start()
      for (const consumer of consumers) consumer.start()
    },
  }
}

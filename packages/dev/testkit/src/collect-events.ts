import { allEvents, type EventBase, type EventDefinition, type EventOf, type Topic } from '@bigtech/contracts'
import { createBroadcastConsumer, createKafka, on } from '@bigtech/kafka'
import { pino } from 'pino'
import { uniqueName } from './servers.ts'
import { waitFor } from './wait-for.ts'

export interface EventCollector {
  /** All events received so far, in order per key. */
  readonly events: readonly EventBase[]
  /** Waits for an event of this definition that matches the predicate. */
  waitFor<Definition extends EventDefinition>(
    definition: Definition,
    predicate?: (event: EventOf<Definition>) => boolean,
  ): Promise<EventOf<Definition>>
  stop(): Promise<void>
}

/** Reads topics from their start as a separate consumer, validating every event. */
export async function collectEvents(options: {
  brokers: readonly string[]
  topicPrefix: string
  topics: readonly Topic[]
}): Promise<EventCollector> {
  const { brokers, topicPrefix, topics } = options
  const log = pino({ level: 'silent' })
  const kafka = createKafka({ clientId: 'testkit-collector', brokers, topicPrefix, log })
  const events: EventBase[] = []
  const consumer = createBroadcastConsumer({
    kafka,
    name: uniqueName('collector'),
    log,
    sinceMs: 24 * 60 * 60 * 1_000,
    onFatal: (err) => {
      throw err
    },
    handlers: allEvents
      .filter(({ topic }) => topics.includes(topic))
      .map((definition) =>
        on(definition, async (event) => {
          events.push(event as EventBase)
        }),
      ),
  })
  consumer.start()
  await consumer.ready
  return {
    events,
    waitFor: (definition, predicate = () => true) =>
      waitFor(
        () =>
          events.find(
            (event) => event.event_type === definition.type && predicate(event as EventOf<typeof definition>),
          ) as EventOf<typeof definition>,
        { what: `${definition.type} on ${definition.topic}` },
      ),
    stop: async () => {
      await consumer.stop()
      await kafka.close()
    },
  }
}

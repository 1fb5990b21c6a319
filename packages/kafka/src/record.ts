import type { EventBase, EventDefinition } from '@bigtech/contracts'
import { context, defaultTextMapSetter, propagation } from '@opentelemetry/api'

/** A record to publish. `topic` is the name in the contracts; the prefix is added when it goes out. */
export interface KafkaRecord {
  readonly topic: string
  readonly key: string | Buffer | null
  readonly value: string | Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

/** Any event definition, whatever its payload. */
export type AnyEventDefinition = EventDefinition<string, object>

export const headerNames = {
  type: 'ce_type',
  id: 'ce_id',
  /** Names the one consumer group a replayed dead letter is meant for; every other group skips it. */
  replayFor: 'bt_replay_for',
} as const

/**
 * The record of an event: flat JSON as value, and the CloudEvents attributes as headers (Kafka
 * binding, binary mode), so that a reader can tell what it is without parsing it.
 *
 * @param source who publishes, e.g. `user-service`
 * @param trace `traceparent` of the request that the event belongs to; default: that of the active span
 */
export function eventRecord<Payload extends object>(
  definition: EventDefinition<string, Payload>,
  event: EventBase & Payload,
  source: string,
  trace?: string,
): KafkaRecord {
  const headers: Record<string, string> = {
    ce_specversion: '1.0',
    [headerNames.id]: event.event_id,
    ce_source: `/bigtech/${source}`,
    [headerNames.type]: event.event_type,
    ce_time: event.timestamp,
    ce_correlationid: event.correlation_id,
    'content-type': 'application/json',
  }
  // Outside of a request there is no trace: the publisher then adds a `traceparent` of its own.
  const traceparent = trace ?? activeTrace()
  if (traceparent !== undefined) headers.traceparent = traceparent
  return { topic: definition.topic, key: definition.key(event), value: JSON.stringify(event), headers }
}

/** Returns the `traceparent` of the active span, for an event that is made later. Undefined without tracing. */
export function activeTrace(): string | undefined {
  const carrier: { traceparent?: string } = {}
  propagation.inject(context.active(), carrier, defaultTextMapSetter)
  return carrier.traceparent
}

import type { EventBase, EventDefinition } from '@bigtech/contracts'
import { context, defaultTextMapSetter, propagation } from '@opentelemetry/api'

/** A record to publish. `topic` is the name in the contracts, without the prefix. */
export interface KafkaRecord {
  readonly topic: string
  readonly key: string | Buffer | null
  readonly value: string | Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

/** Any event definition, regardless of its payload. */
export type AnyEventDefinition = EventDefinition<string, object>

export const headerNames = {
  type: 'ce_type',
  id: 'ce_id',
  /** The only consumer group that handles a replayed dead letter; every other group skips it. */
  replayFor: 'bt_replay_for',
} as const

/**
 * Returns the record of an event: flat JSON as value, and the CloudEvents attributes as headers (Kafka
 * binding, binary mode), so that a consumer can recognize the type without parsing the value.
 *
 * @param source the publishing service, e.g. `user-service`
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
  // Outside a request there is no trace: the publisher then adds a new `traceparent`.
  const traceparent = trace ?? activeTrace()
  if (traceparent !== undefined) headers.traceparent = traceparent
  return { topic: definition.topic, key: definition.key(event), value: JSON.stringify(event), headers }
}

/** Returns the `traceparent` of the active span, for an event created later. Undefined without tracing. */
export function activeTrace(): string | undefined {
  const carrier: { traceparent?: string } = {}
  propagation.inject(context.active(), carrier, defaultTextMapSetter)
  return carrier.traceparent
}

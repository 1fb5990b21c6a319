import type { EventDefinition, EventMeta, EventOf } from '@bigtech/contracts'
import { eventRecord } from '@bigtech/kafka'
import { execute, type SqlExecutor } from '@bigtech/stores'

export interface Outbox {
  /**
   * Stores an event in the caller's transaction: the event is published if and only if it commits. Throws
   * before touching the database when the payload violates the event's contract.
   */
  enqueue<Type extends string, Payload extends object>(
    tx: SqlExecutor,
    definition: EventDefinition<Type, Payload>,
    payload: Payload,
    meta: EventMeta,
  ): Promise<EventOf<EventDefinition<Type, Payload>>>
}

const INSERT =
  'INSERT INTO outbox (event_id, topic, msg_key, event_type, payload, headers, created_at) ' +
  'VALUES (?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))'

/** @param source the publishing service, e.g. `user-service`. */
export function createOutbox(source: string): Outbox {
  return {
    async enqueue(tx, definition, payload, meta) {
      const event = definition.create(payload, meta)
      // Captures the trace while the request runs; the relay only passes it on.
      const record = eventRecord(definition, event as typeof event & typeof payload, source)
      await execute(tx, INSERT, [
        event.event_id,
        record.topic,
        record.key,
        event.event_type,
        record.value,
        JSON.stringify(record.headers),
      ])
      return event
    },
  }
}

import { z } from 'zod'
import type { Topic } from '../topics.ts'
import { uuidv7 } from '../uuidv7.ts'

/** The fields common to all events. */
export const eventBase = z.object({
  event_id: z.uuid(),
  event_type: z.string(),
  event_version: z.int().positive(),
  /** Time of the change, not of the publication. RFC 3339. */
  timestamp: z.iso.datetime(),
  /** The id of the request or event that caused this event. */
  correlation_id: z.string(),
})

export type EventBase = z.infer<typeof eventBase>

/** An event as serialized: base fields and payload side by side (flat JSON). */
export type EventOf<D> =
  D extends EventDefinition<infer Type, infer Payload>
    ? Omit<EventBase, 'event_type'> & { event_type: Type } & Payload
    : never

export interface EventMeta {
  readonly correlationId: string
  /** Defaults to a new UUID v7. */
  readonly eventId?: string
  /** Defaults to now. */
  readonly timestamp?: Date
}

export interface EventDefinition<Type extends string = string, Payload extends object = object> {
  readonly type: Type
  readonly version: number
  readonly topic: Topic
  readonly payload: z.ZodType<Payload>
  /** The partition key: events that must stay in order share a key. */
  key(payload: Payload): string
  /** Builds a valid event. Throws ZodError when the payload violates the contract or has unknown fields. */
  create(payload: Payload, meta: EventMeta): EventOf<EventDefinition<Type, Payload>>
  /** Parses an event. Drops unknown fields, which a newer publisher may have added. Throws ZodError. */
  parse(value: unknown): EventOf<EventDefinition<Type, Payload>>
}

/**
 * Defines an event once; the publisher and every handler derive their types and validation from the
 * definition. Within a version only optional fields may be added: an incompatible change is a new version,
 * published beside the old version until every consumer has migrated.
 */
export function defineEvent<const Type extends string, Shape extends z.ZodRawShape>(definition: {
  type: Type
  version: number
  topic: Topic
  payload: z.ZodObject<Shape>
  key: (payload: z.infer<z.ZodObject<Shape>>) => string
}): EventDefinition<Type, z.infer<z.ZodObject<Shape>>> {
  type Payload = z.infer<z.ZodObject<Shape>>
  type Event = EventOf<EventDefinition<Type, Payload>>
  const { type, version, topic, payload, key } = definition
  const base = eventBase.extend({ event_type: z.literal(type), event_version: z.literal(version) })
  const reader = z.object({ ...payload.shape, ...base.shape })
  const writer = z.strictObject({ ...payload.shape, ...base.shape })
  return {
    type,
    version,
    topic,
    payload: payload as unknown as z.ZodType<Payload>,
    key,
    create: (body, meta) =>
      writer.parse({
        event_id: meta.eventId ?? uuidv7(),
        event_type: type,
        event_version: version,
        timestamp: (meta.timestamp ?? new Date()).toISOString(),
        correlation_id: meta.correlationId,
        ...body,
      }) as Event,
    parse: (value) => reader.parse(value) as Event,
  }
}

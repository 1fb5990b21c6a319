import type { EventBase, EventDefinition, EventOf } from '@bigtech/contracts'
import type { Logger } from 'pino'
import type { StoredRecord } from '../driver/port.ts'
import { PermanentError } from '../errors.ts'
import { type AnyEventDefinition, headerNames } from '../record.ts'

/** The context of an event, passed to its handler. */
export interface EventContext {
  /** The correlation id: the id of the request that caused the event. */
  readonly requestId: string
  readonly log: Logger
  readonly eventId: string
  /** 1 on the first delivery to this process; retries during a store outage are not counted. */
  readonly attempt: number
  readonly key: string | null
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** True if the event was published before this process started; set by broadcast consumers, which replay the past. */
  readonly beforeStart?: boolean
  /** Aborted when the partition is revoked or this process stops. */
  readonly signal: AbortSignal
}

/** The outcome reported in the metrics. Undefined means `applied`. */
export type HandlerOutcome = 'applied' | 'duplicate' | 'ignored'

export type EventHandler<Definition> = (
  event: EventOf<Definition>,
  ctx: EventContext,
  // biome-ignore lint/suspicious/noConfusingVoidType: most handlers return nothing
) => Promise<HandlerOutcome | void>

/** Returns an outcome for each event. */
export type ManyEventsHandler<Definition> = (
  events: readonly EventOf<Definition>[],
) => Promise<readonly HandlerOutcome[]>

export interface Subscription {
  readonly definition: AnyEventDefinition
  readonly handle: (event: EventBase, ctx: EventContext) => Promise<unknown>
  /** Applies consecutive events of a partition together; without it each event is handled alone. */
  readonly handleMany?: (events: readonly EventBase[]) => Promise<readonly HandlerOutcome[]>
}

/** Binds a handler to an event definition, which determines its types. */
export function on<Type extends string, Payload extends object>(
  definition: EventDefinition<Type, Payload>,
  handle: EventHandler<EventDefinition<Type, Payload>>,
): Subscription {
  return { definition, handle: handle as Subscription['handle'] }
}

/**
 * Binds a handler that applies consecutive events of a partition together: in order, and all of them or none. When it rejects, the same events
 * are passed to it one by one, so that an event that fails is retried and dead-lettered alone.
 */
export function onMany<Type extends string, Payload extends object>(
  definition: EventDefinition<Type, Payload>,
  handleMany: ManyEventsHandler<EventDefinition<Type, Payload>>,
): Subscription {
  const { handle } = on(definition, async (event) => (await handleMany([event]))[0])
  return { definition, handle, handleMany: handleMany as Subscription['handleMany'] & {} }
}

export type Decoded =
  | { readonly known: false; readonly type: string }
  | { readonly known: true; readonly event: EventBase; readonly subscription: Subscription }

/** Looks up the handler of a record. */
export class HandlerTable {
  readonly #byType = new Map<string, Map<number, Subscription>>()
  readonly topics: readonly string[]

  constructor(subscriptions: readonly Subscription[]) {
    for (const subscription of subscriptions) {
      const { type, version } = subscription.definition
      const versions = this.#byType.get(type) ?? new Map<number, Subscription>()
      if (versions.has(version)) throw new Error(`two handlers for ${type} version ${version}`)
      this.#byType.set(type, versions.set(version, subscription))
    }
    this.topics = [...new Set(subscriptions.map(({ definition }) => definition.topic))]
    if (this.topics.length === 0) throw new Error('a consumer needs at least one handler')
  }

  /** Returns whether the events of a record's type may be handled together, without parsing the record. */
  handlesMany(record: StoredRecord): boolean {
    const versions = this.#byType.get(record.headers[headerNames.type] ?? '')
    return [...(versions?.values() ?? [])].some(({ handleMany }) => handleMany !== undefined)
  }

  /**
   * Decodes a record. Recognizes types without a handler by their header, without parsing. Throws
   * PermanentError for an unreadable record.
   */
  decode(record: StoredRecord): Decoded {
    const typeInHeader = record.headers[headerNames.type]
    if (typeInHeader !== undefined && !this.#byType.has(typeInHeader)) {
      return { known: false, type: typeInHeader }
    }
    const body = parseJson(record.value)
    const type = typeInHeader ?? body.event_type
    if (typeof type !== 'string') throw new PermanentError('no event_type in header or body')
    const versions = this.#byType.get(type)
    if (!versions) return { known: false, type }
    const subscription = versions.get(body.event_version as number)
    if (!subscription) throw new PermanentError(`unknown version ${body.event_version} of ${type}`)
    return { known: true, subscription, event: parseEvent(subscription.definition, body) }
  }
}

function parseJson(value: Buffer | null): Record<string, unknown> {
  if (value === null) throw new PermanentError('no value')
  let body: unknown
  try {
    body = JSON.parse(value.toString('utf8'))
  } catch {
    // The parser's message quotes the value, which may contain secrets.
    throw new PermanentError('value is not JSON')
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new PermanentError('value is not a JSON object')
  }
  return body as Record<string, unknown>
}

interface SchemaError {
  readonly issues?: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
}

function parseEvent(definition: AnyEventDefinition, body: unknown): EventBase {
  try {
    return definition.parse(body)
  } catch (error) {
    const issues = (error as SchemaError).issues ?? []
    const summary = issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
    throw new PermanentError(`not a ${definition.type}: ${summary || 'schema mismatch'}`)
  }
}

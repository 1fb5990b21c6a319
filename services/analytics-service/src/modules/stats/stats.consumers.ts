import {
  analyticsDataErased,
  type EventDefinition,
  friendRequestAccepted,
  friendRequestRejected,
  friendRequestSent,
  messageSent,
  onlineStatusChanged,
  roomCreated,
  userBlocked,
  userDeleted,
  userLoggedIn,
  userRegistered,
} from '@bigtech/contracts'
import {
  type EventContext,
  type HandlerOutcome,
  on,
  onMany,
  type Publisher,
  type Subscription,
} from '@bigtech/kafka'
import type { CountedEvent, Effect } from './stats.ts'

/** Applies the effects of events in one transaction; differs between the running service and a rebuild. */
export type ApplyEffects = (events: readonly CountedEvent[]) => Promise<HandlerOutcome>

/** Called after a deleted account has been removed from the figures. */
export type ConfirmErasure = (
  event: { readonly user_id: number; readonly deletion_id: string },
  ctx: EventContext,
) => Promise<void>

/** Returns the handlers of events that a rebuild recounts. A rebuild omits `confirm`. */
export function statsConsumers(apply: ApplyEffects, confirm?: ConfirmErasure): Subscription[] {
  const count = <Type extends string, Payload extends object>(
    definition: EventDefinition<Type, Payload>,
    effectOf: (event: Payload) => Effect | undefined,
  ) =>
    onMany(definition, async (events) => {
      const counted = events.flatMap((event) => {
        const { event_id: eventId, timestamp } = event as { event_id: string; timestamp: string }
        const effect = effectOf(event as unknown as Payload)
        return effect ? [{ eventId, at: new Date(timestamp), effect }] : []
      })
      const outcome = counted.length > 0 ? await apply(counted) : 'ignored'
      return events.map(() => outcome)
    })
  return [
    count(userRegistered, () => ({ total: 'sign_ups' })),
    count(userLoggedIn, ({ user_id }) => ({ total: 'logins', activeUserId: user_id })),
    on(userDeleted, async (event, ctx) => {
      const effect: Effect = { total: 'accounts_deleted', eraseUserId: event.user_id }
      const outcome = await apply([{ eventId: event.event_id, at: new Date(event.timestamp), effect }])
      await confirm?.(event, ctx)
      return outcome
    }),
    count(friendRequestSent, ({ request_id }) => ({ total: 'friend_requests', requestSent: request_id })),
    count(friendRequestAccepted, ({ request_id }) => ({
      total: 'friend_requests_accepted',
      requestAccepted: request_id,
    })),
    count(friendRequestRejected, () => ({ total: 'friend_requests_rejected' })),
    count(userBlocked, () => ({ total: 'blocks' })),
    count(roomCreated, () => ({ total: 'rooms_created' })),
    // System messages have no author.
    count(messageSent, ({ message_type, user_id, room_id }) =>
      message_type === 'system' ? undefined : { total: 'messages', activeUserId: user_id, roomId: room_id },
    ),
  ]
}

/**
 * Returns the handler of presence, because most users send nothing on most days. Kafka keeps these events
 * for an hour only, so a rebuild leaves their figures unchanged.
 */
export function presenceConsumers(apply: ApplyEffects): Subscription[] {
  return [
    onMany(onlineStatusChanged, async (events) => {
      const counted = events.map((event) => {
        // An `offline` event follows the user's last activity by up to a minute, possibly on the next day.
        const at = new Date(event.online ? event.timestamp : event.last_seen_at)
        return { eventId: event.event_id, at, effect: { onlineUserId: event.user_id } }
      })
      const outcome = await apply(counted)
      return events.map(() => outcome)
    }),
  ]
}

/**
 * Returns a function that confirms an erasure to user-service. No outbox: the event is not committed until
 * the confirmation is stored, so a crash in between redelivers it, and confirming twice is harmless.
 */
export function confirmErasure(publisher: Publisher): ConfirmErasure {
  return ({ user_id, deletion_id }, ctx) =>
    publisher.publishEvent(analyticsDataErased, { user_id, deletion_id }, { correlationId: ctx.requestId })
}

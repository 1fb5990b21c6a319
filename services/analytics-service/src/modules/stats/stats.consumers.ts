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
import { type EventContext, type HandlerOutcome, on, type Publisher, type Subscription } from '@bigtech/kafka'
import type { Effect } from './stats.ts'

/** Applies the effect of an event; differs between the running service and a rebuild. */
export type ApplyEffect = (eventId: string, at: Date, effect: Effect) => Promise<HandlerOutcome>

/** Called after a deleted account has been removed from the figures. */
export type ConfirmErasure = (
  event: { readonly user_id: number; readonly deletion_id: string },
  ctx: EventContext,
) => Promise<void>

/** Returns the handlers of events that a rebuild recounts. A rebuild omits `confirm`. */
export function statsConsumers(apply: ApplyEffect, confirm?: ConfirmErasure): Subscription[] {
  const count = <Type extends string, Payload extends object>(
    definition: EventDefinition<Type, Payload>,
    effectOf: (event: Payload) => Effect | undefined,
  ) =>
    on(definition, async (event) => {
      const { event_id: eventId, timestamp } = event as { event_id: string; timestamp: string }
      const effect = effectOf(event as unknown as Payload)
      return effect ? apply(eventId, new Date(timestamp), effect) : 'ignored'
    })
  return [
    count(userRegistered, () => ({ total: 'sign_ups' })),
    count(userLoggedIn, ({ user_id }) => ({ total: 'logins', activeUserId: user_id })),
    on(userDeleted, async (event, ctx) => {
      const effect: Effect = { total: 'accounts_deleted', eraseUserId: event.user_id }
      const outcome = await apply(event.event_id, new Date(event.timestamp), effect)
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
export function presenceConsumers(apply: ApplyEffect): Subscription[] {
  return [
    on(onlineStatusChanged, (event) => {
      // An `offline` event follows the user's last activity by up to a minute, possibly on the next day.
      const at = event.online ? event.timestamp : event.last_seen_at
      return apply(event.event_id, new Date(at), { onlineUserId: event.user_id })
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

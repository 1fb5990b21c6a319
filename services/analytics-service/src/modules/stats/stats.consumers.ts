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

/** Applies one event; the running service and a rebuild do it differently. */
export type ApplyEffect = (eventId: string, at: Date, effect: Effect) => Promise<HandlerOutcome>

/** Called once a deleted account has been erased from the figures. */
export type ConfirmErasure = (
  event: { readonly user_id: number; readonly deletion_id: string },
  ctx: EventContext,
) => Promise<void>

/** Subscribes to what a rebuild counts again. `confirm` is left out by a rebuild. */
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
    // System messages are written by the service itself: nobody said anything.
    count(messageSent, ({ message_type, user_id, room_id }) =>
      message_type === 'system' ? undefined : { total: 'messages', activeUserId: user_id, roomId: room_id },
    ),
  ]
}

/**
 * Subscribes to who was online: most people read and write nothing on most days. Kafka keeps these events for an
 * hour only, so a rebuild leaves what they counted as it is.
 */
export function presenceConsumers(apply: ApplyEffect): Subscription[] {
  return [
    on(onlineStatusChanged, (event) => {
      // An `offline` comes up to a minute after the last sign of the user, maybe on the next day.
      const at = event.online ? event.timestamp : event.last_seen_at
      return apply(event.event_id, new Date(at), { onlineUserId: event.user_id })
    }),
  ]
}

/**
 * Returns what confirms an erasure to user-service. No outbox: until the confirmation is stored the event is not
 * committed, so a crash in between brings it back, and confirming twice is harmless.
 */
export function confirmErasure(publisher: Publisher): ConfirmErasure {
  return ({ user_id, deletion_id }, ctx) =>
    publisher.publishEvent(analyticsDataErased, { user_id, deletion_id }, { correlationId: ctx.requestId })
}

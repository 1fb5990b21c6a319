import {
  type EventDefinition,
  friendRequestAccepted,
  friendRequestRejected,
  friendRequestSent,
  messageSent,
  roomCreated,
  userBlocked,
  userDeleted,
  userLoggedIn,
  userRegistered,
} from '@bigtech/contracts'
import { type HandlerOutcome, on, type Subscription } from '@bigtech/kafka'
import type { Effect } from './stats.ts'

/** Applies one event; the running service and a rebuild do it differently. */
export type ApplyEffect = (eventId: string, at: Date, effect: Effect) => Promise<HandlerOutcome>

/** What counts, and as what. */
export function statsConsumers(apply: ApplyEffect): Subscription[] {
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
    count(userDeleted, ({ user_id }) => ({ total: 'accounts_deleted', eraseUserId: user_id })),
    count(friendRequestSent, () => ({ total: 'friend_requests' })),
    count(friendRequestAccepted, () => ({ total: 'friend_requests_accepted' })),
    count(friendRequestRejected, () => ({ total: 'friend_requests_rejected' })),
    count(userBlocked, () => ({ total: 'blocks' })),
    count(roomCreated, () => ({ total: 'rooms_created' })),
    // System messages are written by the service itself: nobody said anything.
    count(messageSent, ({ message_type, user_id, room_id }) =>
      message_type === 'system' ? undefined : { total: 'messages', activeUserId: user_id, roomId: room_id },
    ),
  ]
}

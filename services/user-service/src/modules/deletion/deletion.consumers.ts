import {
  analyticsDataErased,
  chatDataErased,
  friendDataErased,
  mediaDataErased,
  notificationDataErased,
} from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import type { DeletionRepository } from './deletion.repository.ts'

/** Returns the handlers of the other services' confirmations. */
export function deletionSubscriptions(deletions: DeletionRepository): Subscription[] {
  return [
    on(friendDataErased, (event) => deletions.confirm(event.event_id, event.deletion_id, 'friend-service')),
    on(chatDataErased, (event) => deletions.confirm(event.event_id, event.deletion_id, 'chat-service')),
    on(notificationDataErased, (event) =>
      deletions.confirm(event.event_id, event.deletion_id, 'notification-service'),
    ),
    on(analyticsDataErased, (event) =>
      deletions.confirm(event.event_id, event.deletion_id, 'analytics-service'),
    ),
    on(mediaDataErased, (event) => deletions.confirm(event.event_id, event.deletion_id, 'media-service')),
  ]
}

import { onlineStatusChanged, userRegistered, userUpdated } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import { applyOnce } from '@bigtech/outbox'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { PeopleRepository } from './people.repository.ts'
import type { PresenceCache } from './presence-cache.ts'

const CONSUMER = 'names'

/** Returns the handlers that maintain the local copy of names. */
export function peopleConsumers(mysql: Mysql, people: PeopleRepository): Subscription[] {
  return [
    on(userRegistered, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) =>
        people.put(
          tx,
          {
            userId: event.user_id,
            username: event.username,
            displayName: event.display_name,
            statusMessage: null,
            profileImageUrl: null,
          },
          event.profile_version ?? 0,
        ),
      ),
    ),
    on(userUpdated, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) =>
        people.put(
          tx,
          {
            userId: event.user_id,
            username: event.username,
            displayName: event.display_name,
            statusMessage: event.status_message,
            profileImageUrl: event.profile_image_url,
          },
          event.profile_version ?? 0,
        ),
      ),
    ),
  ]
}

/** Returns the handlers that drop cached presence, on every process. */
export function presenceSubscriptions(presence: PresenceCache): Subscription[] {
  return [
    on(onlineStatusChanged, async ({ user_id }) => presence.statusChanged(user_id)),
    on(userUpdated, async ({ user_id }) => presence.visibilityChanged(user_id)),
  ]
}

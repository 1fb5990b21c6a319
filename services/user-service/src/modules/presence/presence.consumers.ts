import { streamPresenceChanged, streamsAlive } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import type { PresenceStore } from './presence.store.ts'
import { sources } from './presence.ts'

/** A script holds up everybody else in Redis while it runs. */
const USERS_PER_SCRIPT = 200

/**
 * Open streams vouch for their users. No inbox: a sign counts from the time it was given, so
 * an event that comes again, or late, changes nothing.
 */
export function presenceSubscriptions(presence: PresenceStore): Subscription[] {
  return [
    on(streamPresenceChanged, async (event) => {
      await presence.touch({
        source: sources.streams(event.instance_id),
        userIds: [event.user_id],
        at: new Date(event.timestamp),
        gone: event.open_streams === 0,
      })
    }),
    on(streamsAlive, async (event) => {
      for (let start = 0; start < event.user_ids.length; start += USERS_PER_SCRIPT) {
        await presence.touch({
          source: sources.streams(event.instance_id),
          userIds: event.user_ids.slice(start, start + USERS_PER_SCRIPT),
          at: new Date(event.timestamp),
        })
      }
    }),
  ]
}

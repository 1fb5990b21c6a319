import { streamPresenceChanged, streamsAlive } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import type { PresenceStore } from './presence.store.ts'
import { sources } from './presence.ts'

/** A running script blocks all other Redis clients. */
const USERS_PER_SCRIPT = 200

/**
 * Returns the handler of open streams, which report their users as online. No inbox: a report counts from
 * its event time, so duplicate and late events change nothing.
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

import { streamPresenceChanged, streamsAlive } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import type { StreamsRepository } from './streams.repository.ts'

/** Returns the handlers of open streams. No inbox: duplicate and late events change nothing. */
export function streamsConsumers(streams: StreamsRepository): Subscription[] {
  return [
    on(streamPresenceChanged, (event) => {
      const at = new Date(event.timestamp)
      if (event.open_streams === 0) return streams.closed(event.instance_id, event.user_id, at)
      return streams.opened(event.instance_id, [event.user_id], at)
    }),
    on(streamsAlive, (event) => streams.opened(event.instance_id, event.user_ids, new Date(event.timestamp))),
  ]
}

import {
  friendRemoved,
  friendRequestAccepted,
  pairStateAnnounced,
  userBlocked,
  userRestricted,
  userUnblocked,
  userUnrestricted,
} from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import type { RelationsRepository } from './relations.repository.ts'

/** Returns the handlers that maintain the copies of friendships, blocks and restrictions, which determine visibility. */
export function relationSubscriptions(relations: RelationsRepository): Subscription[] {
  return [
    on(friendRequestAccepted, (event) =>
      relations.addFriendship(event.event_id, event.from_user_id, event.to_user_id),
    ),
    on(friendRemoved, (event) => relations.removeFriendship(event.event_id, event.user_id, event.friend_id)),
    on(userBlocked, (event) => relations.addBlock(event.event_id, event.blocker_id, event.blocked_id)),
    on(userUnblocked, (event) => relations.removeBlock(event.event_id, event.blocker_id, event.blocked_id)),
    on(userRestricted, (event) =>
      relations.addRestriction(event.event_id, event.restricter_id, event.restricted_id),
    ),
    on(userUnrestricted, (event) =>
      relations.removeRestriction(event.event_id, event.restricter_id, event.restricted_id),
    ),
    on(pairStateAnnounced, (event) =>
      relations.replacePair(event.event_id, {
        low: event.user_low,
        high: event.user_high,
        friends: event.friends,
        lowBlocksHigh: event.low_blocks_high,
        highBlocksLow: event.high_blocks_low,
        lowRestrictsHigh: event.low_restricts_high ?? false,
        highRestrictsLow: event.high_restricts_low ?? false,
      }),
    ),
  ]
}

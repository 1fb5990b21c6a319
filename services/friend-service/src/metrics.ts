import { Counter, type Registry } from 'prom-client'
import type { PairEvent } from './modules/friendship/friendship.ts'

const counters = {
  FriendRequestSent: ['friend_requests_total', 'Friend requests that reached their receiver.'],
  FriendRequestAccepted: ['friend_requests_accepted_total', 'Friend requests that became friendships.'],
  FriendRequestRejected: ['friend_requests_rejected_total', 'Friend requests that were rejected.'],
  FriendRequestCancelled: ['friend_requests_cancelled_total', 'Friend requests cancelled or expired.'],
  FriendRemoved: ['friends_removed_total', 'Friendships ended.'],
  UserBlocked: ['users_blocked_total', 'Blocks set.'],
  UserUnblocked: ['users_unblocked_total', 'Blocks lifted.'],
  UserRestricted: ['users_restricted_total', 'Restrictions set.'],
  UserUnrestricted: ['users_unrestricted_total', 'Restrictions lifted.'],
} as const satisfies Record<PairEvent['type'], readonly [string, string]>

/** Counts friendship events. */
export class FriendMetrics {
  readonly #counters = new Map<PairEvent['type'], Counter>()

  constructor(registry: Registry) {
    for (const [type, [name, help]] of Object.entries(counters)) {
      this.#counters.set(type as PairEvent['type'], new Counter({ name, help, registers: [registry] }))
    }
  }

  count(type: PairEvent['type']): void {
    this.#counters.get(type)?.inc()
  }
}

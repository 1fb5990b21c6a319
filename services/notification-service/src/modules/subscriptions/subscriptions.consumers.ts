import { userSessionRevoked } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import type { SubscriptionsRepository } from './subscriptions.repository.ts'

/**
 * A session that ended takes the subscription of its browser with it. Without an inbox: a session never
 * comes back, so there is nothing that doing it again could harm.
 */
export function subscriptionsConsumers(subscriptions: SubscriptionsRepository): Subscription[] {
  return [on(userSessionRevoked, (event) => subscriptions.removeOfSessions(event.session_ids))]
}

import { userSessionRevoked } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import type { SubscriptionsRepository } from './subscriptions.repository.ts'

/**
 * Returns the handler that removes the subscriptions of ended sessions. No inbox: a session never restarts,
 * so repeating is harmless.
 */
export function subscriptionsConsumers(subscriptions: SubscriptionsRepository): Subscription[] {
  return [on(userSessionRevoked, (event) => subscriptions.removeOfSessions(event.session_ids))]
}

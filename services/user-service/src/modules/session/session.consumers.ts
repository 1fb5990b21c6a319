import { userSessionRevoked } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import type { RevocationList } from '@bigtech/service-kit'

/**
 * Our own news, for our other processes: whoever ended a session may have died, or lost Redis, before
 * it could note so there, and what Redis says of that session would be believed as long as its tokens last.
 */
export function revocationSubscriptions(revocations: RevocationList): Subscription[] {
  return [
    on(userSessionRevoked, async (event) => revocations.add(event.session_ids, new Date(event.timestamp))),
  ]
}

import {
  pairStateAnnounced,
  userBlocked,
  userRegistered,
  userRestricted,
  userUnblocked,
  userUnrestricted,
  userUpdated,
} from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import { applyOnce } from '@bigtech/outbox'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import type { ContactsRepository } from './contacts.repository.ts'

const CONSUMER = 'contacts'

export interface ContactsConsumersDependencies {
  readonly mysql: Mysql
  readonly contacts: ContactsRepository
  /**
   * Called in the transaction that stores a new user. Stored, so that a later change of the defaults leaves the
   * preferences of existing users alone.
   */
  readonly createPreferences: (tx: Tx, userId: number) => Promise<void>
  /** Called in the transaction that stores a new user, so that the welcome mail is planned exactly once. */
  readonly greet: (tx: Tx, user: { readonly userId: number; readonly eventId: string }) => Promise<void>
  /** Called after that transaction. */
  readonly onGreeted: () => void
}

/** Returns the handlers that store addresses, names, languages and initial preferences, and plan welcome mails. */
export function contactsConsumers(deps: ContactsConsumersDependencies): Subscription[] {
  const { mysql, contacts } = deps
  return [
    on(userRegistered, async (event) => {
      const outcome = await applyOnce(mysql, CONSUMER, event, async (tx) => {
        await contacts.put(
          tx,
          {
            userId: event.user_id,
            email: event.email,
            username: event.username,
            displayName: event.display_name,
            locale: event.locale ?? null,
          },
          event.profile_version ?? 0,
        )
        // Another group reads deletions, possibly earlier: a deleted user gets no delivery.
        if (await contacts.isErased(tx, event.user_id)) return
        await deps.createPreferences(tx, event.user_id)
        await deps.greet(tx, { userId: event.user_id, eventId: event.event_id })
      })
      deps.onGreeted()
      return outcome
    }),
    on(userBlocked, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) => contacts.addBlock(tx, event.blocker_id, event.blocked_id)),
    ),
    on(userUnblocked, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) => contacts.removeBlock(tx, event.blocker_id, event.blocked_id)),
    ),
    on(userRestricted, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) =>
        contacts.setRestriction(tx, event.restricter_id, event.restricted_id, true),
      ),
    ),
    on(userUnrestricted, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) =>
        contacts.setRestriction(tx, event.restricter_id, event.restricted_id, false),
      ),
    ),
    on(pairStateAnnounced, (event) =>
      applyOnce(mysql, CONSUMER, event, async (tx) => {
        const { user_low: low, user_high: high } = event
        await contacts.setBlock(tx, low, high, event.low_blocks_high)
        await contacts.setBlock(tx, high, low, event.high_blocks_low)
        await contacts.setRestriction(tx, low, high, event.low_restricts_high ?? false)
        await contacts.setRestriction(tx, high, low, event.high_restricts_low ?? false)
      }),
    ),
    on(userUpdated, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) =>
        contacts.put(
          tx,
          {
            userId: event.user_id,
            email: event.email ?? null,
            username: event.username,
            displayName: event.display_name,
            locale: event.locale ?? null,
          },
          event.profile_version ?? 0,
        ),
      ),
    ),
  ]
}

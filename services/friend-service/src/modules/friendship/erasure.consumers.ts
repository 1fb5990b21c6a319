import { friendDataErased, userDeleted } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import { type Outbox, once } from '@bigtech/outbox'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { PeopleRepository } from '../people/people.repository.ts'
import type { FriendChangesRepository } from './friend-changes.repository.ts'
import type { FriendInvitesRepository } from './friend-invites.repository.ts'
import type { FriendNotesRepository } from './friend-notes.repository.ts'
import { enqueuePairEvents } from './friendship.events.ts'
import type { FriendshipRepository } from './friendship.repository.ts'
import { eventsOfErasure } from './friendship.ts'

const CONSUMER = 'erasure'
const BATCH = 100

export interface ErasureDependencies {
  readonly mysql: Mysql
  readonly repository: FriendshipRepository
  readonly notes: Pick<FriendNotesRepository, 'forget'>
  readonly changes: Pick<FriendChangesRepository, 'note' | 'forget'>
  readonly invites: Pick<FriendInvitesRepository, 'forget'>
  readonly people: PeopleRepository
  readonly outbox: Outbox
}

/**
 * Returns the handler that erases a deleted account, in small idempotent transactions. The mark comes first:
 * afterwards no new data of this user can be written.
 */
export function erasureConsumers({
  mysql,
  repository,
  notes,
  changes,
  invites,
  people,
  outbox,
}: ErasureDependencies): Subscription[] {
  return [
    on(userDeleted, async (event, ctx) => {
      const { user_id: userId, deletion_id } = event
      await mysql.$transaction((tx) => people.erase(tx, userId, new Date(event.timestamp)))
      for (let deleted = BATCH; deleted > 0; ) {
        deleted = await mysql.$transaction(async (tx) => {
          const pairs = await repository.takePairsOf(tx, userId, BATCH)
          // In one order: two erasures must not wait for each other's change logs in a circle.
          pairs.sort((a, b) => a.low + a.high - b.low - b.high)
          for (const { pair, ...stored } of pairs) {
            const events = eventsOfErasure(pair, stored.low === userId ? 'low' : 'high')
            const version = stored.version + 1
            const otherId = stored.low === userId ? stored.high : stored.low
            if (pair.friendsSince !== null) await changes.note(tx, otherId, userId)
            await enqueuePairEvents(outbox, tx, { ...stored, version }, events, {
              correlationId: ctx.requestId,
            })
          }
          return pairs.length
        })
      }
      return mysql.$transaction(async (tx) => {
        if (!(await once(tx, CONSUMER, event.event_id))) return 'duplicate'
        await repository.forgetSender(tx, userId)
        await notes.forget(tx, userId)
        await changes.forget(tx, userId)
        await invites.forget(tx, userId)
        await outbox.enqueue(
          tx,
          friendDataErased,
          { user_id: userId, deletion_id },
          { correlationId: ctx.requestId },
        )
        return 'applied'
      })
    }),
  ]
}

import { notificationDataErased, userDeleted } from '@bigtech/contracts'
import { on, type Publisher, type Subscription } from '@bigtech/kafka'
import { applyOnce } from '@bigtech/outbox'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'

const CONSUMER = 'erasure'

export interface ErasureDependencies {
  readonly mysql: Mysql
  readonly publisher: Publisher
  /** Every module that keeps data of a user; each erases it in the same transaction. */
  readonly erasers: readonly ((tx: Tx, userId: number, at: Date) => Promise<void>)[]
}

/**
 * Erases a deleted account in one transaction, then confirms it. No outbox: until the confirmation is stored the
 * event is not committed, so a crash in between brings it back, and confirming twice is harmless.
 */
export function erasureConsumers({ mysql, publisher, erasers }: ErasureDependencies): Subscription[] {
  return [
    on(userDeleted, async (event, ctx) => {
      const { user_id, deletion_id } = event
      const outcome = await applyOnce(mysql, CONSUMER, event, async (tx) => {
        for (const erase of erasers) await erase(tx, user_id, new Date(event.timestamp))
      })
      const meta = { correlationId: ctx.requestId }
      await publisher.publishEvent(notificationDataErased, { user_id, deletion_id }, meta)
      return outcome
    }),
  ]
}

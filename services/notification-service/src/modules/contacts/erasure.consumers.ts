import { notificationDataErased, userDeleted } from '@bigtech/contracts'
import { on, type Publisher, type Subscription } from '@bigtech/kafka'
import { applyOnce } from '@bigtech/outbox'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'

const CONSUMER = 'erasure'

export interface ErasureDependencies {
  readonly mysql: Mysql
  readonly publisher: Publisher
  /** Erasers of all modules with user data, run in one transaction. */
  readonly erasers: readonly ((tx: Tx, userId: number, at: Date) => Promise<void>)[]
}

/**
 * Returns the handler that erases a deleted account in one transaction, then confirms it. No outbox: the
 * event is not committed until the confirmation is stored, so a crash in between redelivers it, and
 * confirming twice is harmless.
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

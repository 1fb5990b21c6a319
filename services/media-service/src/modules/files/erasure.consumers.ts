import { mediaDataErased, userDeleted } from '@bigtech/contracts'
import { on, type Publisher, type Subscription } from '@bigtech/kafka'
import { applyOnce } from '@bigtech/outbox'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { TakeRepository } from '../practice/take.repository.ts'
import type { FileRemoval } from './file-removal.repository.ts'

const CONSUMER = 'erasure'

export interface ErasureDependencies {
  readonly mysql: Mysql
  readonly fileRemoval: FileRemoval
  readonly takes: TakeRepository
  readonly publisher: Publisher
}

/**
 * Returns the handler that erases a deleted account in one transaction, then confirms it. Confirming twice is
 * harmless.
 */
export function erasureConsumers({
  mysql,
  fileRemoval,
  takes,
  publisher,
}: ErasureDependencies): Subscription[] {
  return [
    on(userDeleted, async (event, ctx) => {
      const { user_id, deletion_id, message_policy } = event
      const outcome = await applyOnce(mysql, CONSUMER, event, async (tx) => {
        await fileRemoval.eraseOwner(tx, user_id, message_policy)
        await takes.eraseOwner(tx, user_id)
      })
      await publisher.publishEvent(
        mediaDataErased,
        { user_id, deletion_id },
        { correlationId: ctx.requestId },
      )
      return outcome
    }),
  ]
}

import { userDeleted } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import { applyOnce } from '@bigtech/outbox'
import type { Mysql, Tx } from '../../plugins/mysql.ts'

const CONSUMER = 'erasure'

export interface ErasureDependencies {
  readonly mysql: Mysql
  /** Everybody who keeps something of a user, each removing it in the same transaction. */
  readonly erasers: readonly ((tx: Tx, userId: number, at: Date) => Promise<void>)[]
}

/** Removes everything of a deleted account at once, or nothing of it. */
export function erasureConsumers({ mysql, erasers }: ErasureDependencies): Subscription[] {
  return [
    on(userDeleted, (event) =>
      applyOnce(mysql, CONSUMER, event, async (tx) => {
        for (const erase of erasers) await erase(tx, event.user_id, new Date(event.timestamp))
      }),
    ),
  ]
}

import { MySqlSession } from '@bigtech/stores'
import { MySqlRelayLock } from './mysql-lock.ts'
import { MySqlOutboxStore } from './mysql-store.ts'
import { createOutboxRelay, type OutboxRelay, type OutboxRelayOptions } from './relay.ts'

export interface MySqlOutboxRelayOptions extends Omit<OutboxRelayOptions<number>, 'lock' | 'store'> {
  /** `mysql://user:password@host:port/database` */
  readonly databaseUrl: string
  /** How long published rows are kept. Default 3 days. */
  readonly keepDays?: number
}

/**
 * The relay of a service whose outbox is a table. Lock and table share one connection of its own:
 * when that breaks, neither the lock nor a mark can be taken for granted, and none is.
 */
export function createMySqlOutboxRelay(options: MySqlOutboxRelayOptions): OutboxRelay {
  const session = new MySqlSession(options.databaseUrl)
  const { keepDays } = options
  const relay = createOutboxRelay({
    ...options,
    lock: new MySqlRelayLock(session),
    store: new MySqlOutboxStore(session, keepDays === undefined ? {} : { keepDays }),
  })
  return {
    start: () => relay.start(),
    wake: () => relay.wake(),
    get holdsLock() {
      return relay.holdsLock
    },
    stop: async () => {
      await relay.stop()
      await session.close()
    },
  }
}

import { MySqlSession } from '@bigtech/stores'
import { MySqlRelayLock } from './mysql-lock.ts'
import { MySqlOutboxStore } from './mysql-store.ts'
import { createOutboxRelay, type OutboxRelay, type OutboxRelayOptions } from './relay.ts'

export interface MySqlOutboxRelayOptions extends Omit<OutboxRelayOptions<number>, 'lock' | 'store'> {
  /** `mysql://user:password@host:port/database` */
  readonly databaseUrl: string
  /** Retention of published rows. Default 3 days. */
  readonly keepDays?: number
}

/**
 * Creates the relay of a service with an outbox table. Lock and table share one dedicated connection: a
 * broken connection invalidates both the lock and any pending update.
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

export { applyOnce, once, onceForAll, purgeInbox, type TransactionRunner, wasApplied } from './inbox.ts'
export { MySqlRelayLock } from './mysql-lock.ts'
export { createMySqlOutboxRelay, type MySqlOutboxRelayOptions } from './mysql-relay.ts'
export { MySqlOutboxStore } from './mysql-store.ts'
export { createOutbox, type Outbox } from './outbox.ts'
export {
  createOutboxRelay,
  type OutboxRelay,
  type OutboxRelayOptions,
  type OutboxRow,
  type OutboxStore,
  type RelayLock,
} from './relay.ts'
export { inboxTableSql, outboxTableSql } from './schema.ts'

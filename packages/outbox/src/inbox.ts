import type { EventBase } from '@bigtech/contracts'
import { PermanentError } from '@bigtech/kafka'
import { execute, type SqlExecutor } from '@bigtech/stores'

const EVENT_ID = /^[0-9a-fA-F-]{36}$/

const INSERT = 'INSERT IGNORE INTO inbox (consumer, event_id, processed_at) VALUES (?, ?, UTC_TIMESTAMP(3))'

/**
 * Notes in the caller's transaction that `consumer` has seen the event. False says that it had
 * already: change nothing. Of two at the same time one waits for the other's commit.
 */
export async function once(tx: SqlExecutor, consumer: string, eventId: string): Promise<boolean> {
  // IGNORE also silences a value that is cut to fit, and two events cut alike would be one.
  if (!EVENT_ID.test(eventId)) throw new PermanentError('event_id is not a UUID')
  return (await execute(tx, INSERT, [consumer, eventId])) === 1
}

/** Prisma's client, or anything else that runs a function in a transaction. */
export interface TransactionRunner<Tx> {
  $transaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result>
}

/**
 * Runs `effect` in one transaction with the inbox row: however often the event arrives, it is
 * applied once. Returns what happened, ready to be a handler's outcome.
 */
export function applyOnce<Tx extends SqlExecutor>(
  db: TransactionRunner<Tx>,
  consumer: string,
  event: Pick<EventBase, 'event_id'>,
  effect: (tx: Tx) => Promise<unknown>,
): Promise<'applied' | 'duplicate'> {
  return db.$transaction(async (tx) => {
    if (!(await once(tx, consumer, event.event_id))) return 'duplicate'
    await effect(tx)
    return 'applied'
  })
}

/**
 * Deletes old inbox rows in small steps until none is left, or `forMs` is over: what is left then is for the
 * next time. Keep them longer than the topics (7 days) and longer than anyone replays dead letters.
 */
export async function purgeInbox(
  db: SqlExecutor,
  keepDays = 30,
  batch = 1_000,
  forMs = 3_000,
): Promise<number> {
  const sql =
    'DELETE FROM inbox WHERE processed_at < UTC_TIMESTAMP(3) - INTERVAL ? DAY ORDER BY processed_at LIMIT ?'
  const end = Date.now() + forMs
  for (let total = 0; ; ) {
    const deleted = await execute(db, sql, [keepDays, batch])
    total += deleted
    if (deleted < batch || Date.now() >= end) return total
  }
}

import type { EventBase } from '@bigtech/contracts'
import { PermanentError } from '@bigtech/kafka/errors'
import { execute, type SqlExecutor } from '@bigtech/stores'

const EVENT_ID = /^[0-9a-fA-F-]{36}$/

const INSERT_ROWS = 'INSERT IGNORE INTO inbox (consumer, event_id, processed_at) VALUES'
const INSERT = `${INSERT_ROWS} (?, ?, UTC_TIMESTAMP(3))`

/**
 * Records in the caller's transaction that `consumer` has applied the event. Returns false when it is already
 * recorded: change nothing. A concurrent delivery waits for the other one's commit.
 */
export async function once(tx: SqlExecutor, consumer: string, eventId: string): Promise<boolean> {
  // INSERT IGNORE also truncates values silently, and two truncated ids could collide.
  if (!EVENT_ID.test(eventId)) throw new PermanentError('event_id is not a UUID')
  return (await execute(tx, INSERT, [consumer, eventId])) === 1
}

/** Some events of a batch were applied before. Handled one by one, each is applied once. */
export class PartlyApplied extends Error {
  override readonly name = 'PartlyApplied'
}

/**
 * Like `once` for several events, in one statement: returns true when none is recorded yet, false when all are.
 *
 * @throws PartlyApplied when some are, or two have the same id: roll back
 */
export async function onceForAll(
  tx: SqlExecutor,
  consumer: string,
  eventIds: readonly string[],
): Promise<boolean> {
  if (!eventIds.every((id) => EVENT_ID.test(id))) throw new PermanentError('event_id is not a UUID')
  const rows = eventIds.map(() => '(?, ?, UTC_TIMESTAMP(3))').join(', ')
  const values = eventIds.flatMap((id) => [consumer, id])
  const stored = await execute(tx, `${INSERT_ROWS} ${rows}`, values)
  if (stored > 0 && stored < eventIds.length)
    throw new PartlyApplied(`${stored} of ${eventIds.length} events are new`)
  return stored > 0
}

/** Prisma's client, bound to a transaction or not, as far as reading the inbox needs it. */
export interface InboxReader {
  $queryRawUnsafe<Rows>(sql: string, ...values: unknown[]): PromiseLike<Rows>
}

/** Returns whether `consumer` has seen the event: to spare the work that comes before `once`, which alone decides. */
export async function wasApplied(db: InboxReader, consumer: string, eventId: string): Promise<boolean> {
  const sql = 'SELECT 1 FROM inbox WHERE consumer = ? AND event_id = ?'
  return (await db.$queryRawUnsafe<unknown[]>(sql, consumer, eventId)).length > 0
}

/** Prisma's client, or any other object that runs a function in a transaction. */
export interface TransactionRunner<Tx> {
  $transaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result>
}

/**
 * Runs `effect` and inserts the inbox row in one transaction: applies the event once, no matter how often it
 * is delivered. Returns the outcome of the handler.
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
 * Deletes old inbox rows in small batches until none is left or `forMs` has passed; the next call continues.
 * Keep rows longer than the topics' retention (7 days) and longer than dead letters are replayed.
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

import { applyOnce, type TransactionRunner } from '@bigtech/outbox/inbox'
import { execute, type SqlExecutor } from '@bigtech/stores'
import type { Redis } from 'ioredis'
import { presenceKeys } from './presence.scripts.ts'

/** Write-behind: the presence scripts note in `dirty` what changes of a user, and a flush moves all of it to MySQL at once. */
export type FlushStep = 'claimed' | 'noted' | 'applied' | 'committed' | 'dropped'

interface Batch {
  readonly id: string
  readonly changes: readonly { readonly userId: number; readonly seen: number; readonly online: number }[]
}

const CONSUMER = 'user-service.last-seen'
const BATCH_KEY = 'user:presence:batch'
const USERS_PER_STATEMENT = 500

/**
 * Renames `dirty` to the batch and gives it an id, unless there is a batch whose flush was interrupted: that one first.
 * KEYS: dirty, batch. ARGV: an id. Returns the batch.
 */
const CLAIM = `
if redis.call('EXISTS', KEYS[2]) == 0 then
  if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
  redis.call('RENAME', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[2], 'id', ARGV[1])
end
return redis.call('HGETALL', KEYS[2])`

/** Deletes the batch unless it is another one by now. KEYS: batch. ARGV: its id. */
const DROP = `
if redis.call('HGET', KEYS[1], 'id') == ARGV[1] then redis.call('DEL', KEYS[1]) end`

/**
 * Writes what has changed since the last flush in one transaction; returns the number of users. Any process may flush at
 * any time: the batch is applied once, because its id is in the inbox, in the transaction that applies it.
 *
 * @param onStep called after each step: for tests that kill the process there
 */
export async function flushLastSeen(
  redis: Pick<Redis, 'eval'>,
  db: TransactionRunner<SqlExecutor>,
  onStep: (step: FlushStep) => void = () => undefined,
): Promise<number> {
  const claimed = await redis.eval(CLAIM, 2, presenceKeys.dirty, BATCH_KEY, crypto.randomUUID())
  const { id, changes } = readBatch(claimed as string[])
  if (id === '') return 0
  onStep('claimed')
  const outcome = await applyOnce(db, CONSUMER, { event_id: id }, async (tx) => {
    onStep('noted')
    for (let start = 0; start < changes.length; start += USERS_PER_STATEMENT)
      await apply(tx, changes.slice(start, start + USERS_PER_STATEMENT))
    onStep('applied')
  })
  onStep('committed')
  await redis.eval(DROP, 1, BATCH_KEY, id)
  onStep('dropped')
  return outcome === 'applied' ? changes.length : 0
}

/** Users in the order of their ids, as everybody who locks several of them. Nothing comes back to life in a deleted account. */
async function apply(tx: SqlExecutor, changes: Batch['changes']): Promise<void> {
  if (changes.length === 0) return
  const rows = changes
    .map(() => 'SELECT ? AS id, CAST(? AS DATETIME(3)) AS seen, ? AS online')
    .join(' UNION ALL ')
  await execute(
    tx,
    `UPDATE users u JOIN (${rows}) d ON d.id = u.id
     SET u.last_seen_at = GREATEST(COALESCE(u.last_seen_at, d.seen), d.seen), u.online_count = u.online_count + d.online
     WHERE u.status IN ('active', 'leaving')`,
    changes.flatMap(({ userId, seen, online }) => [userId, sqlTime(seen), online]),
  )
}

function readBatch(fields: readonly string[]): Batch {
  let id = ''
  const users = new Map<number, { seen: number; online: number }>()
  for (let index = 0; index < fields.length; index += 2) {
    const [name = '', value = ''] = fields.slice(index, index + 2)
    const [kind, userId] = name.split(':')
    if (kind === 'id') id = value
    if (kind !== 'seen' && kind !== 'online') continue
    const user = users.get(Number(userId)) ?? { seen: 0, online: 0 }
    users.set(Number(userId), { ...user, [kind]: Number(value) })
  }
  const changes = [...users].map(([userId, user]) => ({ userId, ...user }))
  return { id, changes: changes.sort((a, b) => a.userId - b.userId) }
}

function sqlTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, -1).replace('T', ' ')
}

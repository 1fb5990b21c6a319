import { userDeleted } from '@bigtech/contracts'
import type { HandlerOutcome } from '@bigtech/kafka'
import { type Outbox, once } from '@bigtech/outbox'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'
import type { SessionEnder } from '../session/session-ender.ts'
import {
  ANNOUNCE_AGAIN_MS,
  type Deletion,
  type DeletionStep,
  deletionSteps,
  inOrder,
  type MessagePolicy,
} from './deletion.ts'

export type DeletionRepository = ReturnType<typeof createDeletionRepository>

const CONSUMER = 'user-service.deletions'

export interface DeletionRequest {
  readonly id: string
  readonly userId: number
  readonly messagePolicy: MessagePolicy
  /** The password hash that was checked. */
  readonly checkedHash: string
  readonly correlationId: string
}

/** Deletions of accounts: one row each, and a row per step. */
export function createDeletionRepository(mysql: Mysql, outbox: Outbox, ender: SessionEnder) {
  return {
    /** Returns the sessions that ended, or null when the account was deleted, or its password changed, meanwhile. */
    begin: (request: DeletionRequest): Promise<string[] | null> =>
      mysql.transaction('beginDeletion', (tx) => begin(tx, outbox, ender, request)),

    find: (id: string) =>
      mysql.run('findDeletion', async (db): Promise<Deletion | null> => {
        const row = await db.accountDeletion.findUnique({ where: { id }, include: { steps: true } })
        if (!row) return null
        return {
          id: row.id,
          userId: row.userId,
          messagePolicy: row.messagePolicy as MessagePolicy,
          completed: row.state === 'completed',
          requestedAt: row.requestedAt,
          completedAt: row.completedAt,
          steps: inOrder(row.steps.map(({ step, doneAt }) => ({ step, doneAt }))),
        }
      }),

    /** Deletions whose step of ours is still to be done. */
    withPendingProfile: (limit: number) =>
      mysql.run(
        'pendingDeletions',
        async (db): Promise<{ id: string; userId: number }[]> =>
          db.accountDeletion.findMany({
            where: { state: 'running', steps: { some: { step: 'profile', doneAt: null } } },
            orderBy: { requestedAt: 'asc' },
            take: limit,
            select: { id: true, userId: true },
          }),
      ),

    /** The user becomes nobody. May run any number of times. */
    eraseProfile: (deletion: { id: string; userId: number }): Promise<void> =>
      mysql.transaction('eraseProfile', async (tx) => {
        await eraseUser(tx, deletion.userId)
        await completeStep(tx, deletion.id, 'profile')
      }),

    /** A service has confirmed its step. */
    confirm: (eventId: string, deletionId: string, step: DeletionStep): Promise<HandlerOutcome> =>
      mysql.transaction('confirmDeletion', async (tx) => {
        if (!(await once(tx, CONSUMER, eventId))) return 'duplicate'
        return (await completeStep(tx, deletionId, step)) ? 'applied' : 'ignored'
      }),

    /** Tells everybody again about deletions that somebody has not confirmed for a day; returns how many. */
    announceAgain: (limit: number): Promise<number> =>
      mysql.transaction('announceAgain', (tx) => announceAgain(tx, outbox, limit)),
  }
}

async function begin(
  tx: Transaction,
  outbox: Outbox,
  ender: SessionEnder,
  { id, userId, messagePolicy, checkedHash, correlationId }: DeletionRequest,
): Promise<string[] | null> {
  const now = new Date()
  const marked = await tx.$executeRaw`UPDATE users u JOIN credentials c ON c.user_id = u.id
    SET u.status = 'deleting', u.updated_at = ${now}
    WHERE u.id = ${userId} AND u.status = 'active' AND c.password_hash = ${checkedHash}`
  if (marked === 0) return null
  const ended = await ender.endIn(tx, { userId, reason: 'account_deleted', correlationId })
  await tx.accountDeletion.create({
    data: {
      id,
      userId,
      messagePolicy,
      state: 'running',
      requestedAt: now,
      announcedAt: now,
      steps: {
        createMany: {
          data: deletionSteps.map((step) => ({ step, doneAt: step === 'sessions' ? now : null })),
        },
      },
    },
  })
  const payload = { user_id: userId, deletion_id: id, message_policy: messagePolicy }
  await outbox.enqueue(tx, userDeleted, payload, { correlationId })
  return ended
}

/** The row stays, as an id that is never given again; everything that told of a person goes. */
async function eraseUser(tx: Transaction, userId: number): Promise<void> {
  await tx.$executeRaw`UPDATE users SET email = NULL, username = ${`deleted_${userId}`},
    username_key = ${`deleted:${userId}`}, display_name = '', status_message = NULL, profile_image_url = NULL,
    findable_by_email = 0, presence_visibility = 'nobody', last_seen_at = NULL, status = 'deleted',
    updated_at = UTC_TIMESTAMP(3) WHERE id = ${userId}`
  await tx.$executeRaw`DELETE FROM user_search_terms WHERE user_id = ${userId}`
  await tx.$executeRaw`DELETE FROM credentials WHERE user_id = ${userId}`
  await tx.$executeRaw`DELETE FROM sessions WHERE user_id = ${userId}`
  await tx.$executeRaw`DELETE FROM friendships WHERE low = ${userId}`
  await tx.$executeRaw`DELETE FROM friendships WHERE high = ${userId}`
  await tx.$executeRaw`DELETE FROM blocks WHERE blocker_id = ${userId}`
  await tx.$executeRaw`DELETE FROM blocks WHERE blocked_id = ${userId}`
  // Address and names wait in events, published or not. Those that end the account carry ids alone and must go out.
  await tx.$executeRaw`DELETE FROM outbox WHERE msg_key = ${String(userId)} AND topic = 'user.events'
    AND event_type NOT IN ('UserDeleted', 'UserSessionRevoked')`
}

/** False when it was done already, or there is no such deletion. The last step completes it. */
async function completeStep(tx: Transaction, deletionId: string, step: DeletionStep): Promise<boolean> {
  // The deletion's row first: of two last steps at the same time, the second sees the first.
  await tx.$queryRaw`SELECT id FROM account_deletions WHERE id = ${deletionId} FOR UPDATE`
  const changed = await tx.$executeRaw`UPDATE account_deletion_steps SET done_at = UTC_TIMESTAMP(3)
    WHERE deletion_id = ${deletionId} AND step = ${step} AND done_at IS NULL`
  await tx.$executeRaw`UPDATE account_deletions SET state = 'completed', completed_at = UTC_TIMESTAMP(3)
    WHERE id = ${deletionId} AND state = 'running' AND NOT EXISTS
      (SELECT 1 FROM account_deletion_steps s WHERE s.deletion_id = ${deletionId} AND s.done_at IS NULL)`
  return changed === 1
}

async function announceAgain(tx: Transaction, outbox: Outbox, limit: number): Promise<number> {
  const before = new Date(Date.now() - ANNOUNCE_AGAIN_MS)
  const rows = await tx.$queryRaw<{ id: string; user_id: number | bigint; message_policy: MessagePolicy }[]>`
    SELECT id, user_id, message_policy FROM account_deletions
    WHERE state = 'running' AND announced_at < ${before} ORDER BY requested_at LIMIT ${limit} FOR UPDATE`
  for (const { id, user_id, message_policy } of rows) {
    const payload = { user_id: Number(user_id), deletion_id: id, message_policy }
    await outbox.enqueue(tx, userDeleted, payload, { correlationId: id })
    await tx.$executeRaw`UPDATE account_deletions SET announced_at = UTC_TIMESTAMP(3) WHERE id = ${id}`
  }
  return rows.length
}

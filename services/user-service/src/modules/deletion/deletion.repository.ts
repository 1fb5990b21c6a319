import { userDeleted } from '@bigtech/contracts'
import type { HandlerOutcome } from '@bigtech/kafka'
import { type Outbox, once } from '@bigtech/outbox'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'
import { recordActivity } from '../activity/activity-log.ts'
import { appendUserEvent } from '../history/user-changes.ts'
import type { SessionEnder } from '../session/session-ender.ts'
import {
  type Deletion,
  type DeletionState,
  type DeletionStep,
  deletionSteps,
  inOrder,
  type MessagePolicy,
  REANNOUNCE_AFTER_MS,
} from './deletion.ts'
import { eraseUser } from './erase-user.ts'

export type DeletionRepository = ReturnType<typeof createDeletionRepository>

const CONSUMER = 'user-service.deletions'
const PROFILE_PENDING = Prisma.sql`d.state = 'running'
  AND EXISTS (SELECT 1 FROM account_deletion_steps WHERE deletion_id = d.id AND step = 'profile' AND done_at IS NULL)`

export interface DeletionRequest {
  readonly id: string
  readonly userId: number
  readonly messagePolicy: MessagePolicy
  /** The compared password hash; null for an account without a password. */
  readonly checkedHash: string | null
  /** Grace period for cancelling. 0: the deletion begins immediately. */
  readonly graceMs: number
  readonly correlationId: string
}

/** Creates the repository of deletions: one row each, and a row per step. */
export function createDeletionRepository(mysql: Mysql, outbox: Outbox, ender: SessionEnder) {
  return {
    /**
     * Schedules a deletion. Returns the ended sessions, or null when the account was deleted or its password
     * changed in the meantime.
     */
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
          state: row.state as DeletionState,
          requestedAt: row.requestedAt,
          dueAt: row.dueAt ?? row.requestedAt,
          completedAt: row.completedAt,
          steps: inOrder(row.steps.map(({ step, doneAt }) => ({ step, doneAt }))),
        }
      }),

    /** Returns whether deletions are due, or their local step is pending: one statement for an idle process. */
    hasWork: async (): Promise<boolean> => {
      const has = await Promise.all([
        mysql.has(
          Prisma.sql`SELECT 1 FROM account_deletions WHERE state = 'scheduled' AND due_at <= ${new Date()}`,
        ),
        mysql.has(Prisma.sql`SELECT 1 FROM account_deletions d WHERE ${PROFILE_PENDING}`),
      ])
      return has.includes(true)
    },

    /** Starts due deletions, which cannot be cancelled afterwards. Returns their number. */
    startDue: async (limit: number): Promise<number> => {
      const due = await mysql.read<{ id: string; userId: bigint | number }>(
        'dueDeletions',
        Prisma.sql`SELECT id, user_id AS userId FROM account_deletions WHERE state = 'scheduled' AND due_at <= ${new Date()} ORDER BY due_at LIMIT ${limit}`,
      )
      for (const { id, userId } of due) {
        await mysql.transaction('startDeletion', (tx) => start(tx, outbox, id, Number(userId)))
      }
      return due.length
    },

    /** Returns deletions whose local step is pending. */
    withPendingProfile: async (limit: number) => {
      const pending = await mysql.read<{ id: string; userId: bigint | number }>(
        'pendingDeletions',
        Prisma.sql`SELECT id, user_id AS userId FROM account_deletions d WHERE ${PROFILE_PENDING} ORDER BY requested_at LIMIT ${limit}`,
      )
      return pending.map(({ id, userId }) => ({ id, userId: Number(userId) }))
    },

    /** Anonymises the user. Idempotent. */
    eraseProfile: (deletion: { id: string; userId: number }): Promise<void> =>
      mysql.transaction('eraseProfile', async (tx) => {
        await eraseUser(tx, deletion.userId)
        await completeStep(tx, deletion.id, 'profile')
      }),

    /** Records the confirmation of a service's step. */
    confirm: (eventId: string, deletionId: string, step: DeletionStep): Promise<HandlerOutcome> =>
      mysql.transaction('confirmDeletion', async (tx) => {
        if (!(await once(tx, CONSUMER, eventId))) return 'duplicate'
        return (await completeStep(tx, deletionId, step)) ? 'applied' : 'ignored'
      }),

    /** Republishes deletions without all confirmations after a day; returns their number. */
    reannounce: (limit: number): Promise<number> =>
      mysql.transaction('reannounce', (tx) => reannounce(tx, outbox, limit)),
  }
}

async function begin(
  tx: Transaction,
  outbox: Outbox,
  ender: SessionEnder,
  { id, userId, messagePolicy, checkedHash, graceMs, correlationId }: DeletionRequest,
): Promise<string[] | null> {
  const now = new Date()
  const isScheduled = graceMs > 0
  // Raw: one statement compares the hash and closes the account, so that no change gets in between.
  const status = isScheduled ? 'leaving' : 'deleting'
  const marked = await tx.$executeRaw`UPDATE users u LEFT JOIN credentials c ON c.user_id = u.id
    SET u.status = ${status}, u.updated_at = ${now}
    WHERE u.id = ${userId} AND u.status = 'active' AND c.password_hash <=> ${checkedHash}`
  if (marked === 0) return null
  await appendUserEvent(tx, userId, 'deletion_requested', { status, updatedAt: now })
  const ended = await ender.endIn(tx, { userId, reason: 'account_deleted', correlationId })
  await tx.accountDeletion.create({
    data: {
      id,
      userId,
      messagePolicy,
      state: isScheduled ? 'scheduled' : 'running',
      dueAt: new Date(now.getTime() + graceMs),
      requestedAt: now,
      announcedAt: now,
      steps: {
        createMany: {
          data: deletionSteps.map((step) => ({ step, doneAt: step === 'sessions' ? now : null })),
        },
      },
    },
  })
  await recordActivity(tx, { userId, type: 'deletion_requested', data: { deletion_id: id } })
  if (isScheduled) return ended
  const payload = { user_id: userId, deletion_id: id, message_policy: messagePolicy }
  await outbox.enqueue(tx, userDeleted, payload, { correlationId })
  return ended
}

/** Locks the user's row first, like a sign-in: exactly one of the two finds the deletion scheduled. */
async function start(tx: Transaction, outbox: Outbox, id: string, userId: number): Promise<void> {
  const now = new Date()
  const { count } = await tx.user.updateMany({
    where: { id: userId, status: 'leaving' },
    data: { status: 'deleting', updatedAt: now },
  })
  if (count === 0) return
  await appendUserEvent(tx, userId, 'deletion_started', { status: 'deleting', updatedAt: now })
  const { messagePolicy } = await tx.accountDeletion.update({
    where: { id },
    data: { state: 'running', announcedAt: now },
  })
  const payload = { user_id: userId, deletion_id: id, message_policy: messagePolicy as MessagePolicy }
  await outbox.enqueue(tx, userDeleted, payload, { correlationId: id })
}

/** False when it was done already, or there is no such deletion. The last step completes it. */
async function completeStep(tx: Transaction, deletionId: string, step: DeletionStep): Promise<boolean> {
  // Raw: Prisma has no FOR UPDATE. Locks the deletion's row: of two concurrent last steps the second sees the
  // first.
  await tx.$queryRaw`SELECT id FROM account_deletions WHERE id = ${deletionId} FOR UPDATE`
  const { count } = await tx.accountDeletionStep.updateMany({
    where: { deletionId, step, doneAt: null },
    data: { doneAt: new Date() },
  })
  const pending = await tx.accountDeletionStep.count({ where: { deletionId, doneAt: null } })
  if (pending === 0) {
    await tx.accountDeletion.updateMany({
      where: { id: deletionId, state: 'running' },
      data: { state: 'completed', completedAt: new Date() },
    })
  }
  return count === 1
}

async function reannounce(tx: Transaction, outbox: Outbox, limit: number): Promise<number> {
  const before = new Date(Date.now() - REANNOUNCE_AFTER_MS)
  // Raw: Prisma has no FOR UPDATE.
  const rows = await tx.$queryRaw<{ id: string; user_id: number | bigint; message_policy: MessagePolicy }[]>`
    SELECT id, user_id, message_policy FROM account_deletions
    WHERE state = 'running' AND announced_at < ${before} ORDER BY requested_at LIMIT ${limit} FOR UPDATE`
  for (const { id, user_id, message_policy } of rows) {
    const payload = { user_id: Number(user_id), deletion_id: id, message_policy }
    await outbox.enqueue(tx, userDeleted, payload, { correlationId: id })
    await tx.accountDeletion.update({ where: { id }, data: { announcedAt: new Date() } })
  }
  return rows.length
}

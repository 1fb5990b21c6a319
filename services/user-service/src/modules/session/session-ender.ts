import { userSessionRevoked } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import { type RevocationList, startAtZero } from '@bigtech/service-kit'
import { Counter, type Registry } from 'prom-client'
import type { Transaction } from '../../infrastructure/mysql.ts'
import { recordActivity } from '../activity/activity-log.ts'
import { noteRevocations } from './revocations.repository.ts'

const endReasons = [
  'logout',
  'logout_all',
  'revoked',
  'password_changed',
  'token_reuse',
  'email_change_undone',
  'account_deleted',
] as const
export type EndReason = (typeof endReasons)[number]

export interface EndRequest {
  readonly userId: number
  /** Ends only this session, */
  readonly only?: string
  /** or all except this one, or all. */
  readonly except?: string
  readonly reason: EndReason
  readonly correlationId: string
}

/** Ends sessions: in the database together with the event, then in every process. */
export interface SessionEnder {
  /** Ends sessions in the caller's transaction. Returns those that were active. */
  endIn(tx: Transaction, request: EndRequest): Promise<string[]>
  /** Announces committed ends: every process of this service refuses the sessions from the next request on. */
  committed(userId: number, sessionIds: readonly string[], reason: EndReason): Promise<void>
}

export function createSessionEnder(deps: {
  outbox: Outbox
  revocations: RevocationList
  wakeRelay: () => void
  onEnded: (userId: number, sessionIds: readonly string[]) => Promise<void>
  metrics: Registry
}): SessionEnder {
  const ended = new Counter({
    name: 'sessions_ended_total',
    help: 'Sessions ended before their expiry.',
    labelNames: ['reason'] as const,
    registers: [deps.metrics],
  })
  startAtZero(ended, { reason: endReasons })
  return {
    endIn: (tx, request) => endSessionsIn(tx, deps.outbox, request),
    committed: async (userId, sessionIds, reason) => {
      if (sessionIds.length === 0) return
      deps.revocations.add(sessionIds)
      deps.wakeRelay()
      ended.inc({ reason }, sessionIds.length)
      await deps.onEnded(userId, sessionIds)
    },
  }
}

/** Ends sessions in the caller's transaction and stores the event. Returns those that were active. */
export async function endSessionsIn(tx: Transaction, outbox: Outbox, request: EndRequest): Promise<string[]> {
  const { userId, only, except, reason, correlationId } = request
  // Raw: Prisma has no FOR UPDATE.
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM sessions
    WHERE user_id = ${userId} AND ended_at IS NULL
      AND (${only ?? null} IS NULL OR id = ${only ?? null})
      AND (${except ?? null} IS NULL OR id <> ${except ?? null})
    FOR UPDATE`
  const ids = rows.map(({ id }) => id)
  if (ids.length === 0) return []
  const now = new Date()
  await tx.session.updateMany({
    where: { id: { in: ids } },
    data: { endedAt: now, endReason: reason, expiresAt: now, sealedSuccessor: null },
  })
  await noteRevocations(tx, ids)
  const payload = { user_id: userId, session_ids: ids, reason }
  await outbox.enqueue(tx, userSessionRevoked, payload, { correlationId })
  await recordActivity(tx, { userId, type: 'sessions_ended', data: { reason, count: ids.length } })
  return ids
}

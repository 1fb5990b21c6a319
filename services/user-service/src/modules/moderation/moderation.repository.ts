import { type ReportedMessage, type UserRole, userModerated } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'
import type { SessionEnder } from '../session/session-ender.ts'
import {
  ahead,
  type Decision,
  FOREVER,
  type ModerationAction,
  mayDecide,
  type NewReport,
  type Person,
  type ReportDetail,
  type ReportSummary,
  type Restrictions,
  restrict,
} from './moderation.ts'

export type ModerationRepository = ReturnType<typeof createModerationRepository>

export interface DecisionRequest {
  readonly reportId: number
  readonly moderator: { readonly userId: number; readonly role: UserRole }
  readonly action: ModerationAction
  readonly note: string | null
  readonly message: string | null
  /** Null: until lifted. */
  readonly until: Date | null
  readonly correlationId: string
}

export type DecisionOutcome =
  | { readonly decision: Decision; readonly endedSessions: readonly string[] }
  | 'not_found'
  | 'closed'
  | 'refused'

const MAX_DECISIONS_SHOWN = 50

interface SummaryRow {
  readonly id: number | bigint
  readonly message_id: string | null
  readonly reason: string
  readonly created_at: Date
  readonly closed_at: Date | null
  readonly target_id: number | bigint
  readonly target_username: string
  readonly target_name: string
  readonly reporter_id: number | bigint
  readonly reporter_username: string
  readonly reporter_name: string
  readonly open_reports: number | bigint
}

const summaryColumns = Prisma.sql`r.id, r.message_id, r.reason, r.created_at, r.closed_at,
  t.id AS target_id, t.username AS target_username, t.display_name AS target_name,
  s.id AS reporter_id, s.username AS reporter_username, s.display_name AS reporter_name,
  (SELECT COUNT(*) FROM reports o WHERE o.target_id = r.target_id AND o.closed_at IS NULL) AS open_reports`
const summaryTables = Prisma.sql`reports r JOIN users t ON t.id = r.target_id JOIN users s ON s.id = r.reporter_id`

/** Creates the repository of reports, decisions, and the resulting restrictions. */
export function createModerationRepository(mysql: Mysql, outbox: Outbox, ender: SessionEnder) {
  return {
    /** Stores a report, or returns the id of an equal open one. */
    addReport: (report: NewReport): Promise<number> =>
      mysql.transaction('addReport', async (tx) => {
        const { reporterId, targetId, roomId, messageId, reason, comment } = report
        const openKey = `${reporterId}:${targetId}:${messageId ?? ''}`
        // Raw: Prisma's upsert reads first and loses races. The row is locked from here on.
        await tx.$executeRaw`INSERT INTO reports
            (reporter_id, target_id, room_id, message_id, reason, comment, context, created_at, open_key)
          VALUES (${reporterId}, ${targetId}, ${roomId}, ${messageId}, ${reason}, ${comment},
            ${JSON.stringify(report.context)}, ${new Date()}, ${openKey})
          ON DUPLICATE KEY UPDATE open_key = VALUES(open_key)`
        const { id } = await tx.report.findUniqueOrThrow({ where: { openKey }, select: { id: true } })
        return id
      }),

    /** Returns reports, one more than `limit`: open ones ascending by id, closed ones descending. */
    listReports: (state: 'open' | 'closed', limit: number, after: number | undefined) =>
      mysql.run('listReports', async (db): Promise<ReportSummary[]> => {
        const part =
          state === 'open'
            ? Prisma.sql`r.closed_at IS NULL AND r.id > ${after ?? 0} ORDER BY r.id`
            : Prisma.sql`r.closed_at IS NOT NULL AND r.id < ${after ?? 4_294_967_295} ORDER BY r.id DESC`
        // Raw: two names and a count per row in one statement.
        const rows = await db.$queryRaw<SummaryRow[]>`
          SELECT ${summaryColumns} FROM ${summaryTables} WHERE ${part} LIMIT ${limit + 1}`
        return rows.map(toSummary)
      }),

    findReport: (id: number) =>
      mysql.run('findReport', async (db): Promise<ReportDetail | null> => {
        const [row] = await db.$queryRaw<SummaryRow[]>`
          SELECT ${summaryColumns} FROM ${summaryTables} WHERE r.id = ${id}`
        const report = row && (await db.report.findUnique({ where: { id } }))
        if (!row || !report) return null
        const [restrictions, decisions] = await Promise.all([
          readRestrictions(db, report.targetId),
          db.moderationDecision.findMany({
            where: { userId: report.targetId },
            orderBy: { id: 'desc' },
            take: MAX_DECISIONS_SHOWN,
          }),
        ])
        return {
          ...toSummary(row),
          comment: report.comment,
          roomId: report.roomId === null ? null : Number(report.roomId),
          context: report.context as unknown as ReportedMessage[],
          restrictions,
          decisions: decisions.map(toDecision),
        }
      }),

    /** Stores the decision, restrictions, ended sessions and event atomically. */
    decide: (request: DecisionRequest): Promise<DecisionOutcome> =>
      mysql.transaction('decideReport', (tx) => decide(tx, outbox, ender, request)),

    /** Returns decisions newest first, one more than `limit`. @param userId only about this user */
    listDecisions: (
      limit: number,
      before: number | undefined,
      userId: number | undefined,
      actions?: ModerationAction[],
    ) =>
      mysql.run('listDecisions', async (db): Promise<Decision[]> => {
        const rows = await db.moderationDecision.findMany({
          where: {
            ...(userId === undefined ? {} : { userId }),
            ...(actions === undefined ? {} : { action: { in: actions } }),
            ...(before === undefined ? {} : { id: { lt: before } }),
          },
          orderBy: { id: 'desc' },
          take: limit + 1,
        })
        return rows.map(toDecision)
      }),

    /** Acknowledges a notice. Returns false when the user has no such notice. */
    acknowledge: (userId: number, decisionId: number) =>
      mysql.run('acknowledgeNotice', async (db): Promise<boolean> => {
        const where = { id: decisionId, userId, action: { not: 'dismiss' } }
        await db.moderationDecision.updateMany({
          where: { ...where, acknowledgedAt: null },
          data: { acknowledgedAt: new Date() },
        })
        return (await db.moderationDecision.count({ where })) === 1
      }),
  }
}

async function decide(
  tx: Transaction,
  outbox: Outbox,
  ender: SessionEnder,
  request: DecisionRequest,
): Promise<DecisionOutcome> {
  const { reportId, moderator, action, note, message, correlationId } = request
  const report = await tx.report.findUnique({ where: { id: reportId }, select: { targetId: true } })
  if (!report) return 'not_found'
  const userId = report.targetId
  // Raw: Prisma has no FOR UPDATE. The user's row first, as everywhere: a sign-in in flight waits, or its
  // session is ended below.
  await tx.$queryRaw`SELECT id FROM users WHERE id = ${userId} FOR UPDATE`
  await tx.$queryRaw`SELECT id FROM reports WHERE id = ${reportId} FOR UPDATE`
  const target = await tx.user.findUniqueOrThrow({ where: { id: userId }, select: { role: true } })
  if (!mayDecide(moderator, { userId, role: target.role as UserRole })) return 'refused'
  if (action !== 'lift') {
    const { count } = await tx.report.updateMany({
      where: { id: reportId, closedAt: null },
      data: { closedAt: new Date(), openKey: null },
    })
    if (count === 0) return 'closed'
  }
  const lasts = action === 'mute' || action === 'suspend'
  const row = await tx.moderationDecision.create({
    data: {
      reportId,
      userId,
      moderatorId: moderator.userId,
      action,
      note,
      message,
      until: lasts ? request.until : null,
      createdAt: new Date(),
    },
  })
  const decision = toDecision(row)
  if (!lasts && action !== 'lift') return { decision, endedSessions: [] }
  const after = restrict(await readRestrictions(tx, userId), action, request.until ?? FOREVER)
  const data = { ...after, message, decisionId: row.id }
  await tx.userRestriction.upsert({ where: { userId }, create: { userId, ...data }, update: data })
  const payload = {
    user_id: userId,
    decision_id: row.id,
    muted_until: after.mutedUntil?.toISOString() ?? null,
    suspended_until: after.suspendedUntil?.toISOString() ?? null,
  }
  await outbox.enqueue(tx, userModerated, payload, { correlationId })
  const endedSessions =
    action === 'suspend' ? await ender.endIn(tx, { userId, reason: 'revoked', correlationId }) : []
  return { decision, endedSessions }
}

async function readRestrictions(
  db: Pick<Transaction, 'userRestriction'>,
  userId: number,
): Promise<Restrictions> {
  const row = await db.userRestriction.findUnique({ where: { userId } })
  const now = new Date()
  return {
    mutedUntil: ahead(row?.mutedUntil ?? null, now),
    suspendedUntil: ahead(row?.suspendedUntil ?? null, now),
  }
}

function toSummary(row: SummaryRow): ReportSummary {
  const person = (id: number | bigint, username: string, displayName: string): Person => ({
    userId: Number(id),
    username,
    displayName,
  })
  return {
    id: Number(row.id),
    kind: row.message_id === null ? 'user' : 'message',
    reason: row.reason,
    target: person(row.target_id, row.target_username, row.target_name),
    reporter: person(row.reporter_id, row.reporter_username, row.reporter_name),
    createdAt: row.created_at,
    closedAt: row.closed_at,
    openReports: Number(row.open_reports),
  }
}

function toDecision<Row extends Omit<Decision, 'action'> & { action: string }>(row: Row): Decision {
  const { id, reportId, userId, moderatorId, action, note, message, until, createdAt, acknowledgedAt } = row
  return {
    ...{ id, reportId, userId, moderatorId, note, message, until, createdAt, acknowledgedAt },
    action: action as ModerationAction,
  }
}

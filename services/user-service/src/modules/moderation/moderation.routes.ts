import {
  acknowledgeNotice,
  decideReport,
  getReport,
  listDecisions,
  listModerationNotices,
  listReports,
  type ModerationDecision,
  type Report,
  reportReason,
  reportUser,
} from '@bigtech/contracts'
import { decodeCursor, route, toPage } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { ModerationService } from './moderation.service.ts'
import type { Decision, Person, ReportDetail, ReportSummary } from './moderation.ts'

const position = z.int().positive()

export async function moderationRoutes(
  app: FastifyInstance,
  { moderation }: { moderation: ModerationService },
): Promise<void> {
  route(app, reportUser, async ({ body }, ctx) => ({
    report_id: await moderation.report(ctx, {
      userId: body.user_id,
      messageId: body.message_id,
      reason: body.reason,
      comment: body.comment,
    }),
  }))

  route(app, listReports, async ({ query: { state, limit, cursor } }) =>
    toPage(
      await moderation.listReports(state, limit, decodeCursor(position, cursor)),
      limit,
      ({ id }) => id,
      summaryBody,
    ),
  )

  route(app, getReport, async ({ params }) => reportBody(await moderation.getReport(params.report_id)))

  route(app, decideReport, async ({ params, body }, ctx) => {
    const { action, note, message, hours } = body
    return decisionBody(await moderation.decide(ctx, params.report_id, { action, note, message, hours }))
  })

  route(app, listDecisions, async ({ query: { limit, cursor, user_id } }) =>
    toPage(
      await moderation.listDecisions(limit, decodeCursor(position, cursor), user_id),
      limit,
      ({ id }) => id,
      decisionBody,
    ),
  )

  route(app, listModerationNotices, async ({ query: { limit, cursor } }, ctx) =>
    toPage(
      await moderation.listNotices(ctx, limit, decodeCursor(position, cursor)),
      limit,
      ({ id }) => id,
      ({ id, action, message, until, createdAt, acknowledgedAt }) => ({
        notice_id: id,
        action,
        message,
        until: until?.toISOString() ?? null,
        created_at: createdAt.toISOString(),
        acknowledged_at: acknowledgedAt?.toISOString() ?? null,
      }),
    ),
  )

  route(app, acknowledgeNotice, async ({ params }, ctx) => {
    await moderation.acknowledge(ctx, params.notice_id)
    return undefined
  })
}

function personBody({ userId, username, displayName }: Person) {
  return { user_id: userId, username, display_name: displayName }
}

function summaryBody(report: ReportSummary) {
  return {
    report_id: report.id,
    kind: report.kind,
    reason: reportReason.parse(report.reason),
    state: report.closedAt ? ('closed' as const) : ('open' as const),
    target: personBody(report.target),
    reporter: personBody(report.reporter),
    created_at: report.createdAt.toISOString(),
    closed_at: report.closedAt?.toISOString() ?? null,
    open_reports: report.openReports,
  }
}

function reportBody(report: ReportDetail): Report {
  return {
    ...summaryBody(report),
    comment: report.comment,
    room_id: report.roomId,
    context: [...report.context],
    muted_until: report.restrictions.mutedUntil?.toISOString() ?? null,
    suspended_until: report.restrictions.suspendedUntil?.toISOString() ?? null,
    decisions: report.decisions.map(decisionBody),
  }
}

function decisionBody(decision: Decision): ModerationDecision {
  return {
    decision_id: decision.id,
    report_id: decision.reportId,
    user_id: decision.userId,
    moderator_id: decision.moderatorId,
    action: decision.action,
    note: decision.note,
    message: decision.message,
    until: decision.until?.toISOString() ?? null,
    created_at: decision.createdAt.toISOString(),
  }
}

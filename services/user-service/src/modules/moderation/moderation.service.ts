import type { ReportedMessage } from '@bigtech/contracts'
import { type AuthenticatedContext, type Limit, Problem, type RateLimiter } from '@bigtech/service-kit'
import type { SessionEnder } from '../session/session-ender.ts'
import type { ModerationRepository } from './moderation.repository.ts'
import type { Decision, ModerationAction, ReportDetail } from './moderation.ts'

export type ModerationService = ReturnType<typeof createModerationService>

/** The source of messages, queried on behalf of the reporter. */
export interface ReportedMessages {
  /**
   * Returns the message and its context as visible to the caller.
   * @throws Problem NOT_A_MEMBER, ROOM_NOT_FOUND; StoreUnavailable
   */
  around(ctx: AuthenticatedContext, messageId: string): Promise<readonly ReportedMessage[]>
}

export interface ReportInput {
  readonly userId: number | undefined
  readonly messageId: string | undefined
  readonly reason: string
  readonly comment: string | undefined
}

export interface DecisionInput {
  readonly action: ModerationAction
  readonly note: string | undefined
  readonly message: string | undefined
  readonly hours: number | undefined
}

const reports: Limit = { name: 'report', max: 30, windowSeconds: 3_600 }
const HOUR_MS = 3_600_000
const noticeActions: ModerationAction[] = ['warn', 'mute', 'suspend', 'lift']

/** Creates the service for reports, decisions and notices. */
export function createModerationService(deps: {
  moderation: ModerationRepository
  messages: ReportedMessages
  /** Returns whether the viewer can see the user, by the same rules as profiles. */
  isVisible: (viewerId: number, userId: number) => Promise<boolean>
  limiter: RateLimiter
  sessions: SessionEnder
  wakeRelay: () => void
}) {
  const { moderation, limiter } = deps

  async function subjectOf(ctx: AuthenticatedContext, { userId, messageId }: ReportInput) {
    if (messageId === undefined) {
      if (userId === undefined || !(await deps.isVisible(ctx.actor.userId, userId)))
        throw new Problem('USER_NOT_FOUND')
      return { targetId: userId, roomId: null, messageId: null, context: [] }
    }
    const context = await deps.messages.around(ctx, messageId)
    const reported = context.find((message) => message.reported)
    if (!reported) throw new Problem('MESSAGE_NOT_FOUND')
    return { targetId: reported.user_id, roomId: Number(messageId.split(':')[0]), messageId, context }
  }

  return {
    async report(ctx: AuthenticatedContext, input: ReportInput): Promise<number> {
      const reporterId = ctx.actor.userId
      await limiter.take(reports, reporterId)
      const subject = await subjectOf(ctx, input)
      if (subject.targetId === reporterId) throw new Problem('REPORT_SELF')
      const { reason, comment = null } = input
      const id = await moderation.addReport({ reporterId, reason, comment, ...subject })
      ctx.log.info({ report_id: id }, 'reported')
      return id
    },

    listReports: moderation.listReports,

    async getReport(id: number): Promise<ReportDetail> {
      const report = await moderation.findReport(id)
      if (!report) throw new Problem('REPORT_NOT_FOUND')
      return report
    },

    async decide(ctx: AuthenticatedContext, reportId: number, input: DecisionInput): Promise<Decision> {
      const { action, note = null, message = null, hours } = input
      const outcome = await moderation.decide({
        ...{ reportId, action, note, message },
        moderator: ctx.actor,
        until: hours === undefined ? null : new Date(Date.now() + hours * HOUR_MS),
        correlationId: ctx.requestId,
      })
      if (outcome === 'not_found') throw new Problem('REPORT_NOT_FOUND')
      if (outcome === 'closed') throw new Problem('REPORT_CLOSED')
      if (outcome === 'refused') throw new Problem('MODERATION_REFUSED')
      const { decision, endedSessions } = outcome
      deps.wakeRelay()
      await deps.sessions.committed(decision.userId, endedSessions, 'revoked')
      ctx.log.info({ report_id: reportId, target_id: decision.userId, action }, 'report decided')
      return decision
    },

    listDecisions: (limit: number, before: number | undefined, userId: number | undefined) =>
      moderation.listDecisions(limit, before, userId),

    listNotices: (ctx: AuthenticatedContext, limit: number, before: number | undefined) =>
      moderation.listDecisions(limit, before, ctx.actor.userId, noticeActions),

    async acknowledge(ctx: AuthenticatedContext, noticeId: number): Promise<void> {
      if (!(await moderation.acknowledge(ctx.actor.userId, noticeId))) throw new Problem('NOTICE_NOT_FOUND')
    },
  }
}

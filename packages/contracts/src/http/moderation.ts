import { z } from 'zod'
import { moderationAction } from '../events/user-events.ts'
import { messageId, roomId, timestamp, userId } from '../ids.ts'
import { multiLine } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { messageIdParam } from './message-shapes.ts'
import { idParam, onePage, pageQuery } from './paging.ts'

const tag = 'moderation'
const exampleTime = '2026-01-27T10:00:00.000Z'
const maxHours = 24 * 365

export const reportReason = z.enum([
  'spam',
  'harassment',
  'hate',
  'violence',
  'sexual',
  'self_harm',
  'impersonation',
  'other',
])

const reportId = z
  .int()
  .positive()
  .meta({ examples: [12] })
const ofReport = z.object({ report_id: idParam })
const comment = multiLine({ max: 1_000 })

export const reportUser = defineRoute({
  operationId: 'reportUser',
  method: 'POST',
  path: '/moderation/reports',
  tag,
  summary: 'Report a user or a message to the moderators',
  description:
    'Pass `user_id`, or `message_id` for a message that you can see: the report copies it with up to ten surrounding messages, as you see them. Only moderators can see a report. Repeating an open report changes nothing.',
  body: z
    .strictObject({
      user_id: userId.optional(),
      message_id: messageIdParam.optional(),
      reason: reportReason,
      comment: comment.optional(),
    })
    .refine((body) => (body.user_id === undefined) !== (body.message_id === undefined), {
      path: ['user_id'],
      error: 'Pass either user_id or message_id.',
    }),
  bodyExample: { message_id: '7:000000000042', reason: 'harassment', comment: '계속 괴롭혀요.' },
  success: {
    status: 201,
    description: 'The report is queued.',
    schema: z.object({ report_id: reportId }),
    example: { report_id: 12 },
  },
  problems: [
    'USER_NOT_FOUND',
    'MESSAGE_NOT_FOUND',
    'NOT_A_MEMBER',
    'ROOM_NOT_FOUND',
    'REPORT_SELF',
    'RATE_LIMITED',
  ],
})

const person = z.object({ user_id: userId, username: z.string(), display_name: z.string() })
const personExample = { user_id: 100, username: 'testuser', display_name: '테스트 유저' }

const reportSummary = z.object({
  report_id: reportId,
  kind: z.enum(['user', 'message']),
  reason: reportReason,
  state: z.enum(['open', 'closed']),
  target: person,
  reporter: person,
  created_at: timestamp,
  closed_at: timestamp.nullable(),
  open_reports: z.int().min(0).meta({ description: 'Number of open reports about the same user.' }),
})

const reportedMessage = z.object({
  message_id: messageId,
  user_id: userId,
  username: z.string(),
  content: z.string(),
  file_name: z.string().nullable(),
  created_at: timestamp,
  reported: z.boolean().meta({ description: 'Marks the reported message.' }),
})
export type ReportedMessage = z.infer<typeof reportedMessage>

const decision = z.object({
  decision_id: z.int().positive(),
  report_id: reportId,
  user_id: userId,
  moderator_id: userId,
  action: moderationAction,
  note: z.string().nullable().meta({ description: 'For moderators.' }),
  message: z.string().nullable().meta({ description: 'The explanation shown to the user.' }),
  until: timestamp
    .nullable()
    .meta({ description: 'When the mute or suspension ends. Null: when it is lifted.' }),
  created_at: timestamp,
})
export type ModerationDecision = z.infer<typeof decision>

const decisionExample: ModerationDecision = {
  decision_id: 5,
  report_id: 12,
  user_id: 100,
  moderator_id: 2,
  action: 'suspend',
  note: 'Third time this month.',
  message: 'Insulting other people.',
  until: '2026-02-03T10:00:00.000Z',
  created_at: exampleTime,
}

const summaryExample: z.infer<typeof reportSummary> = {
  report_id: 12,
  kind: 'message',
  reason: 'harassment',
  state: 'open',
  target: personExample,
  reporter: { user_id: 101, username: 'minji', display_name: '민지' },
  created_at: exampleTime,
  closed_at: null,
  open_reports: 2,
}

const report = z.object({
  ...reportSummary.shape,
  comment: z.string().nullable(),
  room_id: roomId.nullable(),
  context: z
    .array(reportedMessage)
    .meta({ description: 'The conversation as the reporter saw it at the time of the report.' }),
  muted_until: timestamp.nullable(),
  suspended_until: timestamp.nullable(),
  decisions: z
    .array(decision)
    .meta({ description: 'Decisions about the same user, newest first, at most 50.' }),
})
export type Report = z.infer<typeof report>

const reportExample: Report = {
  ...summaryExample,
  comment: '계속 괴롭혀요.',
  room_id: 7,
  context: [
    {
      message_id: '7:000000000042',
      user_id: 100,
      username: 'testuser',
      content: '…',
      file_name: null,
      created_at: exampleTime,
      reported: true,
    },
  ],
  muted_until: null,
  suspended_until: null,
  decisions: [decisionExample],
}

export const listReports = defineRoute({
  operationId: 'listReports',
  method: 'GET',
  path: '/moderation/reports',
  tag,
  summary: 'The queue of reports: open ones oldest first, closed ones newest first',
  role: 'moderator',
  query: pageQuery.extend({ state: z.enum(['open', 'closed']).default('open') }),
  success: onePage(reportSummary, 'A page of reports.', summaryExample),
  problems: ['CURSOR_INVALID'],
})

export const getReport = defineRoute({
  operationId: 'getReport',
  method: 'GET',
  path: '/moderation/reports/:report_id',
  tag,
  summary: 'A report with its evidence and the earlier decisions about its user',
  role: 'moderator',
  params: ofReport,
  success: { status: 200, description: 'The report.', schema: report, example: reportExample },
  problems: ['REPORT_NOT_FOUND'],
})

export const decideReport = defineRoute({
  operationId: 'decideReport',
  method: 'POST',
  path: '/moderation/reports/:report_id/decisions',
  tag,
  summary: 'Decide a report',
  description:
    '`dismiss`, `warn`, `mute` (the user can read but not send) and `suspend` (every session and stream ends within 2 s, sign-in is refused) close the report. `lift` ends a mute or suspension, also on a closed report.',
  role: 'moderator',
  params: ofReport,
  body: z
    .strictObject({
      action: moderationAction,
      note: comment.optional(),
      message: multiLine({ max: 500 }).optional().meta({ description: 'The explanation shown to the user.' }),
      hours: z
        .int()
        .min(1)
        .max(maxHours)
        .optional()
        .meta({ description: 'Duration of the mute or suspension; indefinite when omitted.' }),
    })
    .refine((body) => body.hours === undefined || body.action === 'mute' || body.action === 'suspend', {
      path: ['hours'],
      error: 'Only a mute or a suspension has a duration.',
    }),
  bodyExample: { action: 'suspend', hours: 168, message: 'Insulting other people.' },
  success: {
    status: 201,
    description: 'The decision is in force.',
    schema: decision,
    example: decisionExample,
  },
  problems: ['REPORT_NOT_FOUND', 'REPORT_CLOSED', 'MODERATION_REFUSED'],
})

export const listDecisions = defineRoute({
  operationId: 'listDecisions',
  method: 'GET',
  path: '/moderation/decisions',
  tag,
  summary: 'The log of decisions, newest first',
  role: 'moderator',
  query: pageQuery.extend({ user_id: idParam.optional() }),
  success: onePage(decision, 'A page of decisions.', decisionExample),
  problems: ['CURSOR_INVALID'],
})

const notice = z.object({
  notice_id: z.int().positive(),
  action: moderationAction,
  message: z.string().nullable(),
  until: timestamp.nullable(),
  created_at: timestamp,
  acknowledged_at: timestamp.nullable(),
})

export const listModerationNotices = defineRoute({
  operationId: 'listModerationNotices',
  method: 'GET',
  path: '/moderation/notices',
  tag,
  summary: "Moderators' decisions about you, newest first",
  query: pageQuery,
  success: onePage(notice, 'A page of notices. They contain neither the reporter nor the moderator.', {
    notice_id: 5,
    action: 'warn',
    message: 'Please be kind.',
    until: null,
    created_at: exampleTime,
    acknowledged_at: null,
  }),
  problems: ['CURSOR_INVALID'],
})

export const acknowledgeNotice = defineRoute({
  operationId: 'acknowledgeNotice',
  method: 'PUT',
  path: '/moderation/notices/:notice_id/acknowledged',
  tag,
  summary: 'Mark a notice as read',
  params: z.object({ notice_id: idParam }),
  success: { status: 204, description: 'Noted.' },
  problems: ['NOTICE_NOT_FOUND'],
})

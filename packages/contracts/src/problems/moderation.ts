import type { ProblemTable } from './problem-definition.ts'

/** Reports and decisions of moderators. */
export const moderationProblems = {
  ACCOUNT_SUSPENDED: {
    status: 403,
    title: 'This account is suspended.',
    meaning: '`detail` contains the end and the reason. Returned only after the right password.',
  },
  ACCOUNT_MUTED: {
    status: 403,
    title: 'You cannot send anything at the moment.',
    meaning: 'A moderator has muted the account; `detail` contains the end of the mute. You can still read.',
  },
  REPORT_SELF: {
    status: 400,
    title: 'You cannot report yourself.',
    meaning: 'The report is about you, or about your own message.',
  },
  REPORT_NOT_FOUND: {
    status: 404,
    title: 'There is no such report.',
    meaning: 'Unknown, or erased with the reported account.',
  },
  REPORT_CLOSED: {
    status: 409,
    title: 'This report has already been decided.',
    meaning: 'Another moderator decided first. Fetch it again; `lift` is still possible.',
  },
  MODERATION_REFUSED: {
    status: 403,
    title: 'You cannot decide about this user.',
    meaning: 'The user is you, or their role is not below yours.',
  },
  NOTICE_NOT_FOUND: {
    status: 404,
    title: 'There is no such notice.',
    meaning: 'Unknown, or not yours.',
  },
} as const satisfies ProblemTable

import { accountProblems } from './problems/accounts.ts'
import { friendProblems } from './problems/friends.ts'
import { mediaProblems } from './problems/media.ts'
import { moderationProblems } from './problems/moderation.ts'
import { notificationProblems } from './problems/notifications.ts'
import type { ProblemTable } from './problems/problem-definition.ts'
import { roomProblems } from './problems/rooms.ts'
import { sharedProblems } from './problems/shared.ts'

export type { ProblemDefinition } from './problems/problem-definition.ts'

/**
 * Every error code a client can meet. Codes are stable: clients switch on them. docs/errors.md is generated from
 * this table.
 */
export const problems = {
  ...sharedProblems,
  ...accountProblems,
  ...friendProblems,
  ...roomProblems,
  ...notificationProblems,
  ...moderationProblems,
  ...mediaProblems,
} as const satisfies ProblemTable

export type ProblemCode = keyof typeof problems

import type { ProblemTable } from './problem-definition.ts'

/** Push subscriptions (notification-service). */
export const notificationProblems = {
  SUBSCRIPTION_NOT_FOUND: {
    status: 404,
    title: 'There is no such push subscription.',
    meaning: 'It has ended (or the browser dropped it), or is not yours.',
  },
} as const satisfies ProblemTable

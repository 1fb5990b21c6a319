import { z } from 'zod'
import { timestamp } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import { idParam } from './paging.ts'

const count = z.int().min(0)
const day = z.iso.date().meta({ description: 'A day in UTC.', examples: ['2026-01-27'] })

const statsTotals = z.object({
  sign_ups: count,
  accounts_deleted: count,
  logins: count,
  active_users: count.meta({ description: 'Distinct users who signed in or sent a message.' }),
  messages: count,
  rooms_created: count,
  friend_requests: count,
  friend_requests_accepted: count,
  friend_requests_rejected: count,
  friend_acceptance_rate: z.number().nullable().meta({
    description:
      'Share of the requests sent in this period that were accepted, at any time; null when none was sent.',
  }),
  blocks: count,
})

/** A range of days, both ends included. */
const spanQuery = z.object({
  from: day.transform((text) => new Date(`${text}T00:00:00.000Z`)).optional(),
  to: day.transform((text) => new Date(`${text}T00:00:00.000Z`)).optional(),
})

const totalsExample = {
  sign_ups: 12,
  accounts_deleted: 0,
  logins: 431,
  active_users: 287,
  messages: 10_452,
  rooms_created: 35,
  friend_requests: 40,
  friend_requests_accepted: 31,
  friend_requests_rejected: 2,
  friend_acceptance_rate: 0.775,
  blocks: 1,
}
const problems = ['NOT_AUTHENTICATED', 'TOKEN_INVALID'] as const

export const getStatsSummary = defineRoute({
  operationId: 'getStatsSummary',
  method: 'GET',
  path: '/stats/summary',
  tag: 'figures',
  summary: 'Today, the last 7 and the last 30 days',
  auth: 'operator',
  success: {
    status: 200,
    description: 'The figures.',
    schema: z.object({ today: statsTotals, last_7_days: statsTotals, last_30_days: statsTotals }),
    example: { today: totalsExample, last_7_days: totalsExample, last_30_days: totalsExample },
  },
  problems,
})

export const listDailyStats = defineRoute({
  operationId: 'listDailyStats',
  method: 'GET',
  path: '/stats/daily',
  tag: 'figures',
  summary: 'Daily figures for at most 366 days; the last 30 by default',
  auth: 'operator',
  query: spanQuery,
  success: {
    status: 200,
    description: 'One entry per day, oldest first.',
    schema: z.object({ items: z.array(z.object({ day, ...statsTotals.shape })) }),
    example: { items: [{ day: '2026-01-27', ...totalsExample }] },
  },
  problems,
})

export const listRoomHours = defineRoute({
  operationId: 'listRoomHours',
  method: 'GET',
  path: '/stats/rooms/:room_id/hourly',
  tag: 'figures',
  summary: 'Messages of a room by hour, at most 31 days',
  auth: 'operator',
  params: z.object({ room_id: idParam }),
  query: spanQuery,
  success: {
    status: 200,
    description: 'The hours (UTC) with at least one message, oldest first.',
    schema: z.object({ items: z.array(z.object({ hour: timestamp, messages: z.int().positive() })) }),
    example: { items: [{ hour: '2026-01-27T10:00:00.000Z', messages: 42 }] },
  },
  problems,
})

import { getStatsSummary, listDailyStats, listRoomHours } from '@bigtech/contracts'
import { Problem, requireOperator, route } from '@bigtech/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { StatsService } from './stats.service.ts'

const DEFAULT_DAYS = 30
const DAY_MS = 24 * 60 * 60 * 1_000

/** For operators: not routed by the gateway, and requires the operator token. */
export const statsRoutes: FastifyPluginAsync<{
  stats: StatsService
  operatorToken: string | undefined
  now: () => number
}> = async (app, { stats, operatorToken, now }) => {
  app.addHook('onRequest', requireOperator(operatorToken))
  const span = (query: { from?: Date | undefined; to?: Date | undefined }, maxDays: number) => {
    const to = query.to ?? new Date(Math.floor(now() / DAY_MS) * DAY_MS)
    const from = query.from ?? new Date(to.getTime() - (Math.min(DEFAULT_DAYS, maxDays) - 1) * DAY_MS)
    if (from > to) throw invalid('from', 'Must not be after `to`.')
    const days = (to.getTime() - from.getTime()) / DAY_MS + 1
    if (days > maxDays) throw invalid('from', `The range may cover at most ${maxDays} days.`)
    return { from, to }
  }
  route(app, getStatsSummary, () => stats.getStatsSummary())
  route(app, listDailyStats, async ({ query }) => {
    const { from, to } = span(query, 366)
    return { items: await stats.listDailyStats(from, to) }
  })
  route(app, listRoomHours, async ({ params, query }) => {
    const { from, to } = span(query, 31)
    return { items: await stats.listRoomHours(params.room_id, from, to) }
  })
}

function invalid(field: string, message: string): Problem {
  return new Problem('VALIDATION_FAILED', { errors: [{ field, message }] })
}

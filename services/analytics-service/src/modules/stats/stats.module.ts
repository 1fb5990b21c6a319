import type { Service } from '@bigtech/service-kit'
import type { Mysql } from '../../infrastructure/mysql.ts'
import { StatsMetrics } from '../../metrics.ts'
import { type ApplyEffects, confirmErasure, presenceConsumers, statsConsumers } from './stats.consumers.ts'
import { StatsRepository } from './stats.repository.ts'
import { statsRoutes } from './stats.routes.ts'
import { StatsService } from './stats.service.ts'

const REFRESH_METRICS_MS = 15_000
const PURGE_MS = 60_000
/** Figures may be this late: under load, one transaction for all events of this time costs little. */
const GATHER_MS = 500

/** Wires the figures: counted from events, read by operators, exposed as metrics. */
export function createStats(options: {
  service: Service
  mysql: Mysql
  operatorToken: string | undefined
  now: () => number
}): void {
  const { service, mysql, operatorToken, now } = options
  const repository = new StatsRepository(mysql)
  const stats = new StatsService({ repository, now })
  const metrics = new StatsMetrics(service.metrics)
  service.app.register(statsRoutes, { stats, operatorToken, now })
  const apply: ApplyEffects = (events) => repository.apply(events)
  const handlers = [
    ...statsConsumers(apply, confirmErasure(service.messaging.publisher)),
    ...presenceConsumers(apply),
  ]
  service.subscribe('stats', handlers, { gatherMs: GATHER_MS })
  service.every({
    name: 'purge requests',
    everyMs: PURGE_MS,
    run: () => repository.purgeRequests(now()),
  })
  service.every({
    name: 'refresh metrics',
    everyMs: REFRESH_METRICS_MS,
    run: async () => {
      const summary = await stats.getStatsSummary()
      metrics.set('1d', summary.today)
      metrics.set('7d', summary.last_7_days)
      metrics.set('30d', summary.last_30_days)
    },
  })
}

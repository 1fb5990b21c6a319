import { createConsumerRunner, createKafka, createPublisher } from '@bigtech/kafka'
import { purgeInbox } from '@bigtech/outbox'
import { buildService, type Service, type ServiceOptions, startChores } from '@bigtech/service-kit'
import { classifyStoreError } from '@bigtech/stores'
import type { Config } from './config.ts'
import { StatsMetrics } from './metrics.ts'
import {
  type ApplyEffect,
  confirmErasure,
  presenceConsumers,
  statsConsumers,
} from './modules/stats/stats.consumers.ts'
import { StatsRepository } from './modules/stats/stats.repository.ts'
import { statsRoutes } from './modules/stats/stats.routes.ts'
import { StatsService } from './modules/stats/stats.service.ts'
import { openMysql } from './plugins/mysql.ts'

const NAME = 'analytics-service'
const REFRESH_METRICS_MS = 15_000
/** Every message leaves a row in the inbox. */
const PURGE_MS = 60 * 1_000

export interface BuildOptions extends Pick<ServiceOptions, 'keys' | 'logDestination'> {
  /** The clock in milliseconds; a test moves it. */
  readonly now?: () => number
}

/** The worker, wired by hand, read from top to bottom. Nothing runs before `start()`. */
export async function buildAnalyticsService(config: Config, options: BuildOptions = {}): Promise<Service> {
  const { now = Date.now, ...serviceOptions } = options
  const service = await buildService({
    name: NAME,
    title: 'Analytics Service',
    description: 'Figures for operators: sign-ups, logins, messages, friend requests.',
    config,
    ...serviceOptions,
  })
  const { log, lifecycle, metrics: registry } = service
  const mysql = openMysql(service, config.DATABASE_URL)
  const kafka = createKafka({
    clientId: NAME,
    brokers: config.KAFKA_BROKERS,
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    log,
  })
  service.readiness.add({ name: 'kafka', ping: () => kafka.ping(), optional: true })

  const repository = new StatsRepository(mysql)
  const stats = new StatsService({ repository, now })
  await service.app.register(statsRoutes, { stats, operatorToken: config.OPERATOR_TOKEN, now })

  const publisher = createPublisher({ kafka })
  const apply: ApplyEffect = (eventId, at, effect) => repository.apply(eventId, at, effect)
  const runner = createConsumerRunner({
    kafka,
    classify: classifyStoreError,
    groupId: `${NAME}.stats`,
    handlers: [...statsConsumers(apply, confirmErasure(publisher)), ...presenceConsumers(apply)],
    log,
    registry,
    publisher,
    onFatal: (err) => {
      log.fatal({ err }, 'a consumer cannot go on')
      process.exit(1)
    },
  })
  const metrics = new StatsMetrics(registry)
  const refresh = async () => {
    const summary = await stats.getStatsSummary()
    metrics.set('1d', summary.today)
    metrics.set('7d', summary.last_7_days)
    metrics.set('30d', summary.last_30_days)
  }

  const start = async () => {
    runner.start()
    const chores = startChores(
      [
        { name: 'refresh metrics', everyMs: REFRESH_METRICS_MS, run: refresh },
        { name: 'purge requests', everyMs: PURGE_MS, run: () => repository.purgeRequests(now()) },
        { name: 'purge inbox', everyMs: PURGE_MS, run: () => purgeInbox(mysql.client) },
      ],
      log,
    )
    lifecycle.onStop('consumers', 'chores', () => chores.stop())
    lifecycle.onStop('consumers', 'stats', () => runner.stop())
    lifecycle.onStop('producers', 'kafka', () => kafka.close())
    lifecycle.onStop('producers', 'publisher', () => publisher.stop())
    return service.start()
  }
  return { ...service, start }
}

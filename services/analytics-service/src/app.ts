import { buildService, openMysql, type Service, type ServiceOptions } from '@bigtech/service-kit'
import type { Config } from './config.ts'
import { createMysql } from './infrastructure/mysql.ts'
import { createStats } from './modules/stats/stats.module.ts'

export interface BuildOptions extends Pick<ServiceOptions, 'keys' | 'logDestination'> {
  /** The clock in milliseconds; set by tests. */
  readonly now?: () => number
}

/** Wires analytics-service: its store, then its module. Nothing runs before `start()`. */
export async function buildAnalyticsService(
  config: Config,
  { now = Date.now, ...options }: BuildOptions = {},
): Promise<Service> {
  const service = await buildService({
    name: 'analytics-service',
    title: 'Analytics Service',
    description: 'Figures for operators: sign-ups, logins, messages, friend requests.',
    config,
    acceptsUserTokens: false,
    ...options,
  })

  const mysql = openMysql(service, createMysql(config.DATABASE_URL, service.metrics))

  createStats({ service, mysql, operatorToken: config.OPERATOR_TOKEN, now })
  return service
}

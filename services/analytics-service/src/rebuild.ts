import { createKafka } from '@bigtech/kafka'
import { ConfigError, createLogger, loadConfig } from '@bigtech/service-kit'
import { Registry } from 'prom-client'
import { configSchema } from './config.ts'
import { rebuildStats } from './modules/stats/stats.rebuild.ts'
import { StatsRepository } from './modules/stats/stats.repository.ts'
import { isoDay } from './modules/stats/stats.ts'
import { createMysql } from './plugins/mysql.ts'

/** `node services/analytics-service/src/rebuild.ts`: counts everything again from the topics. */
async function main(): Promise<void> {
  const config = loadConfig(configSchema)
  const log = createLogger({ service: 'analytics-service', level: config.LOG_LEVEL })
  const mysql = createMysql(config.DATABASE_URL, new Registry())
  const kafka = createKafka({
    clientId: 'analytics-service',
    brokers: config.KAFKA_BROKERS,
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    log,
  })
  try {
    const repository = new StatsRepository(mysql)
    const { from, applied } = await rebuildStats({ kafka, repository, log, now: Date.now })
    const span = from ? `${isoDay(from)} and later` : 'every day'
    process.stdout.write(`Rebuilt ${span} from ${applied} events.\n`)
  } finally {
    await kafka.close()
    await mysql.close()
  }
}

try {
  await main()
} catch (err) {
  process.stderr.write(`${err instanceof ConfigError ? err.message : (err as Error).stack}\n`)
  process.exitCode = 1
}

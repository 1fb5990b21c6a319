import { createKafka, kafkaSecurity } from '@bigtech/kafka'
import { CommandError, createLogger, loadConfig, runCommand } from '@bigtech/service-kit'
import { Registry } from 'prom-client'
import { configSchema } from './config.ts'
import { createMysql } from './infrastructure/mysql.ts'
import { planRebuild, type RebuildPlan, rebuildStats } from './modules/stats/stats.rebuild.ts'
import { StatsRepository } from './modules/stats/stats.repository.ts'
import { isoDay } from './modules/stats/stats.ts'

const usage = `Usage: node src/rebuild.ts [--from DAY] [--yes]
Counts the figures again from the topics. Without --yes it only says what it would do.

  --from DAY   leave the figures before this day (2026-01-27, UTC) as they are
  --yes        empty the figures from that day on and count them again

Refuses when the topics no longer hold what the figures were counted from: Kafka was created anew, say.
Environment: that of analytics-service (docs/configuration.md)`

async function rebuild(from: Date | undefined, isConfirmed: boolean): Promise<number> {
  const config = loadConfig(configSchema)
  const log = createLogger({ service: 'analytics-service', level: config.LOG_LEVEL })
  const mysql = createMysql(config.DATABASE_URL, new Registry())
  const kafka = createKafka({
    clientId: 'analytics-service',
    brokers: config.KAFKA_BROKERS,
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    security: kafkaSecurity(config),
    log,
  })
  try {
    const options = { kafka, repository: new StatsRepository(mysql), log, now: Date.now }
    const plan = await planRebuild(options, from)
    refuseLoss(plan)
    const span = plan.from ? `${isoDay(plan.from)} and later` : 'every day'
    if (!isConfirmed) {
      process.stdout.write(
        `Would delete and recount: ${span}. Nothing was changed; pass --yes to perform the rebuild.\n`,
      )
      return 0
    }
    const { applied } = await rebuildStats(options, plan.from)
    process.stdout.write(`Rebuilt ${span} from ${applied} events.\n`)
    return 0
  } finally {
    await kafka.close()
    await mysql.close()
  }
}

function refuseLoss({ lost }: RebuildPlan): void {
  if (lost.length === 0) return
  const lines = lost.map(({ topic, figuresFrom, eventsFrom }) => {
    const begin = eventsFrom ? `begins with ${isoDay(eventsFrom)}` : 'is empty'
    return `  figures go back to ${isoDay(figuresFrom)}, and ${topic} ${begin}`
  })
  const days = lost.flatMap(({ eventsFrom }) => eventsFrom ?? [])
  const isWhole = days.length === lost.length
  const first = isWhole ? new Date(Math.max(...days.map(Number))) : undefined
  const advice = first
    ? `--from ${isoDay(first)} keeps older figures.`
    : 'An empty topic cannot be recounted.'
  throw new CommandError(`Refused, because the rebuild would lose figures.\n${lines.join('\n')}\n${advice}`)
}

function parseDay(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const day = new Date(`${text}T00:00:00Z`)
  if (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(day.getTime()) && isoDay(day) === text) return day
  throw new CommandError(`--from: ${text} is not a date such as 2026-01-27.`, 2)
}

await runCommand({
  usage,
  options: { from: { type: 'string' }, yes: { type: 'boolean' } },
  run: async ({ values }) => rebuild(parseDay(values.from as string | undefined), values.yes === true),
})

import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { ensureTopics, topicSpecs } from './ensure-topics.ts'
import { createKafka } from './kafka.ts'
import { kafkaSecurityFromEnv } from './security.ts'

const usage = `Usage: topics-cli.ts [--apply]
Compares the topics of Kafka with those of the contracts: what is missing, what is set otherwise.

  --apply   create what is missing and set what differs; partitions are never changed

Environment: KAFKA_BROKERS (comma separated), KAFKA_REPLICATION (copies of each record, default 3), KAFKA_TOPIC_PREFIX
Exit code: 0 nothing differs, or all of it was repaired; 1 something differs; 2 wrong use
`

function refuse(message: string): never {
  process.stderr.write(`topics-cli.ts: ${message} See --help.\n`)
  process.exit(2)
}

function readOptions() {
  try {
    return parseArgs({ options: { apply: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
      .values
  } catch (error) {
    return refuse((error as Error).message)
  }
}

const { apply = false, help } = readOptions()
if (help) {
  process.stdout.write(usage)
  process.exit(0)
}
const brokers = process.env.KAFKA_BROKERS ?? refuse('KAFKA_BROKERS is not set.')
const replication = Number(process.env.KAFKA_REPLICATION ?? 3)
if (!Number.isInteger(replication) || replication < 1) refuse('KAFKA_REPLICATION is not a number of copies.')
const kafka = createKafka({
  clientId: 'topics-cli',
  brokers: brokers.split(','),
  topicPrefix: process.env.KAFKA_TOPIC_PREFIX ?? '',
  security: kafkaSecurityFromEnv(),
  log: pino({ level: 'warn' }, pino.destination(2)),
})
try {
  const differences = await ensureTopics(kafka, topicSpecs(replication), !apply)
  for (const { topic, what, isRepairable } of differences) {
    process.stdout.write(`${topic} ${what}${apply && isRepairable ? ' (repaired)' : ''}\n`)
  }
  const left = differences.filter(({ isRepairable }) => !apply || !isRepairable)
  process.stdout.write(`${differences.length} differences, ${left.length} left\n`)
  process.exitCode = left.length === 0 ? 0 : 1
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
} finally {
  await kafka.close()
}

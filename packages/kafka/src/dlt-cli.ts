import { pino } from 'pino'
import { runCommand, UsageError, usage } from './dlt/command.ts'
import { createKafka } from './kafka.ts'
import { createPublisher } from './publisher/publisher.ts'
import { kafkaSecurityFromEnv } from './security.ts'

const brokers = process.env.KAFKA_BROKERS
const args = process.argv.slice(2)
if (args.includes('--help') || args.includes('-h')) {
  process.stdout.write(usage)
  process.exit(0)
}
if (!brokers || args.length === 0) {
  process.stderr.write(usage)
  process.exit(2)
}
const kafka = createKafka({
  clientId: 'dlt-cli',
  brokers: brokers.split(','),
  topicPrefix: process.env.KAFKA_TOPIC_PREFIX ?? '',
  security: kafkaSecurityFromEnv(),
  // Standard output belongs to the answer.
  log: pino({ level: 'warn' }, pino.destination(2)),
})
const publisher = createPublisher({ kafka })
try {
  const print = (line: string) => process.stdout.write(`${line}\n`)
  process.exitCode = await runCommand(args, { kafka, publisher, print })
} catch (error) {
  const hint = error instanceof UsageError ? `\n\n${usage}` : '\n'
  process.stderr.write(`${(error as Error).message}${hint}`)
  process.exitCode = error instanceof UsageError ? 2 : 1
} finally {
  await publisher.stop()
  await kafka.close()
}

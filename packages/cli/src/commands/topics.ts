import { ensureTopics, type KafkaConnection, topicSpecs } from '@bigtech/kafka'
import { CommandError } from '@bigtech/service-kit'
import type { Command } from 'commander'
import { withKafka } from '../kafka-session.ts'
import { type CommandContext, dryRunNote } from '../output.ts'

/** Replicas of each record, limited by the number of brokers. */
const MAX_REPLICATION = 3

/** Adds the `topics` command. */
export function addTopicsCommand(program: Command, { output, exit }: CommandContext): void {
  program
    .command('topics')
    .description('compare the topics in Kafka with the contracts; partitions are never changed')
    .option('--apply', 'create missing topics and correct differing settings')
    .addHelpText(
      'after',
      '\nKAFKA_REPLICATION: replicas of each record, default 3 or the number of brokers, whichever is less',
    )
    .action(async ({ apply = false }: { apply?: boolean }) => {
      const differences = await withKafka(async ({ kafka }) =>
        ensureTopics(kafka, topicSpecs(await replicationOf(kafka)), !apply),
      )
      const left = differences.filter(({ isRepairable }) => !apply || !isRepairable)
      output.print(
        [
          ...differences.map(
            ({ topic, what, isRepairable }) =>
              `${topic} ${what}${apply && isRepairable ? ' (repaired)' : ''}`,
          ),
          `${differences.length} differences, ${left.length} left`,
          ...(left.length > 0 && !apply ? [dryRunNote] : []),
        ],
        { differences, left: left.length },
      )
      exit(left.length === 0 ? 0 : 1)
    })
}

async function replicationOf(kafka: KafkaConnection): Promise<number> {
  const given = process.env.KAFKA_REPLICATION
  const replication = given ? Number(given) : Math.min(MAX_REPLICATION, await kafka.brokerCount())
  if (!Number.isInteger(replication) || replication < 1)
    throw new CommandError('KAFKA_REPLICATION must be a positive whole number.', 2)
  return replication
}

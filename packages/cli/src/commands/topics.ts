import {
  type AccessDifference,
  ensureAccess,
  ensureTopics,
  type KafkaConnection,
  topicSpecs,
} from '@bigtech/kafka'
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
    .option('--access', 'also compare the access rules, as `bigtech access` does')
    .addHelpText(
      'after',
      '\nKAFKA_REPLICATION: replicas of each record, default 3 or the number of brokers, whichever is less',
    )
    .action(async ({ apply = false, access = false }: { apply?: boolean; access?: boolean }) => {
      const differences = await withKafka(async ({ kafka }) => [
        ...(await ensureTopics(kafka, topicSpecs(await replicationOf(kafka)), !apply)),
        ...(access ? (await ensureAccess(kafka, !apply)).map(asTopicDifference) : []),
      ])
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

function asTopicDifference({ rule, what }: AccessDifference) {
  const { account, operation, resource, name, isPrefix } = rule
  const topic = `${account}: ${operation} ${resource} ${name}${isPrefix ? '*' : ''}`
  return { topic, what, isRepairable: true }
}

async function replicationOf(kafka: KafkaConnection): Promise<number> {
  const given = process.env.KAFKA_REPLICATION
  const replication = given ? Number(given) : Math.min(MAX_REPLICATION, await kafka.brokerCount())
  if (!Number.isInteger(replication) || replication < 1)
    throw new CommandError('KAFKA_REPLICATION must be a positive whole number.', 2)
  return replication
}

import { ensureTopics, topicSpecs } from '@bigtech/kafka'
import { CommandError } from '@bigtech/service-kit'
import type { Command } from 'commander'
import { withKafka } from '../kafka-session.ts'
import { type CommandContext, dryRunNote } from '../output.ts'

const DEFAULT_REPLICATION = 3

/** Adds `topics`. */
export function addTopicsCommand(program: Command, { output, exit }: CommandContext): void {
  program
    .command('topics')
    .description('compare the topics of Kafka with those of the contracts; partitions are never changed')
    .option('--apply', 'create what is missing and set what differs')
    .addHelpText('after', '\nKAFKA_REPLICATION: copies of each record, default 3')
    .action(async ({ apply = false }: { apply?: boolean }) => {
      const replication = Number(process.env.KAFKA_REPLICATION ?? DEFAULT_REPLICATION)
      if (!Number.isInteger(replication) || replication < 1)
        throw new CommandError('KAFKA_REPLICATION is not a number of copies.', 2)
      const differences = await withKafka(({ kafka }) => ensureTopics(kafka, topicSpecs(replication), !apply))
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

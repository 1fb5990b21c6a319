import { groupLags, planRewind, rewindGroup } from '@bigtech/kafka'
import type { Command } from 'commander'
import { parseTime } from '../arguments.ts'
import { withKafka } from '../kafka-session.ts'
import { type CommandContext, dryRunNote } from '../output.ts'

interface RewindOptions {
  readonly topic: string
  readonly to: Date
  readonly apply?: boolean
}

/** Adds `consumers lag` and `consumers rewind`. */
export function addConsumerCommands(program: Command, { output }: CommandContext): void {
  const consumers = program
    .command('consumers')
    .description('consumer groups: how far behind, and read again')
  consumers
    .command('lag')
    .description('list how many records each group has not committed')
    .action(async () => {
      const lags = await withKafka(({ kafka }) => groupLags(kafka))
      output.print(
        lags.map(({ group, topic, records }) => `${group}  ${topic}  ${records} records`),
        lags,
      )
    })
  consumers
    .command('rewind <group>')
    .description("read a topic again from a time on; the group's service must be stopped")
    .requiredOption('--topic <topic>', 'topic to read again')
    .requiredOption('--to <time>', 'RFC 3339, 2026-01-27T10:00:00Z say', parseTime)
    .option('--apply', 'move the positions')
    .action(async (group: string, { topic, to, apply = false }: RewindOptions) => {
      const plan = await withKafka(async ({ kafka }) => {
        const plan = await planRewind(kafka, { group, topic, to })
        if (apply) await rewindGroup(kafka, plan)
        return plan
      })
      const what = `${group} ${apply ? 'will' : 'would'} read ${plan.records} records of ${topic} again`
      output.print([what, ...(apply ? [] : [dryRunNote])], { ...plan, applied: apply })
    })
}

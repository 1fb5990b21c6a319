import { groupLags, type KafkaConnection, planRewind, type RewindPlan, rewindGroup } from '@bigtech/kafka'
import { CommandError } from '@bigtech/service-kit'
import type { Command } from 'commander'
import { parseTime } from '../arguments.ts'
import { withKafka } from '../kafka-session.ts'
import { type CommandContext, dryRunNote } from '../output.ts'

interface RewindOptions {
  readonly topic?: string
  readonly to: Date
  readonly all?: boolean
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
    .command('rewind [group]')
    .description('read topics again from a time on; the services of the groups must be stopped')
    .requiredOption('--to <time>', 'RFC 3339, 2026-01-27T10:00:00Z say', parseTime)
    .option('--topic <topic>', 'only this topic')
    .option('--all', 'every group: after a restore')
    .option('--apply', 'move the positions')
    .action(async (group: string | undefined, options: RewindOptions) => {
      if ((group === undefined) === (options.all !== true))
        throw new CommandError('Name a group, or add --all.', 2)
      const { apply = false } = options
      const plans = await withKafka(async ({ kafka }) => {
        const plans = await planAll(kafka, group, options)
        const groups = Map.groupBy(apply ? plans : [], (plan) => plan.group)
        // Moving takes seconds for each topic, so groups side by side; a group cannot be moved twice at a time.
        await Promise.all([...groups.values()].map((own) => rewindInTurn(kafka, own)))
        return plans
      })
      output.print(
        [
          ...plans.map(
            ({ group, topic, records }) =>
              `${group} ${apply ? 'will' : 'would'} read ${records} records of ${topic} again`,
          ),
          ...(apply ? [] : [dryRunNote]),
        ],
        { plans, applied: apply },
      )
    })
}

/** Only what moves a position. */
async function planAll(
  kafka: KafkaConnection,
  group: string | undefined,
  { topic, to }: RewindOptions,
): Promise<RewindPlan[]> {
  const lags = (await groupLags(kafka)).filter(
    (lag) => (group === undefined || lag.group === group) && (topic === undefined || lag.topic === topic),
  )
  if (lags.length === 0) throw new CommandError(`No group ${group ?? ''} has read ${topic ?? 'anything'}.`)
  const plans = await Promise.all(lags.map((lag) => planRewind(kafka, { ...lag, to })))
  return plans.filter(({ records }) => records > 0)
}

async function rewindInTurn(kafka: KafkaConnection, plans: readonly RewindPlan[]): Promise<void> {
  for (const plan of plans) await rewindGroup(kafka, plan)
}

import {
  type GroupLag,
  groupLags,
  type KafkaConnection,
  oldestWaiting,
  planRewind,
  type RewindPlan,
  rewindGroup,
} from '@bigtech/kafka'
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

/** Adds the commands `consumers lag` and `consumers rewind`. */
export function addConsumerCommands(program: Command, { output }: CommandContext): void {
  const consumers = program
    .command('consumers')
    .description('show the lag of consumer groups, and rewind them')
  consumers
    .command('lag')
    .description('list the number of uncommitted records of each group, and the age of the oldest one')
    .action(async () => {
      const lags = await withKafka(({ kafka }) => agedLags(kafka))
      output.print(
        lags.map(
          ({ group, topic, records, oldestSeconds }) =>
            `${group}  ${topic}  ${records} records${records > 0 ? `, oldest ${oldestSeconds} s` : ''}`,
        ),
        lags,
      )
    })
  consumers
    .command('rewind [group]')
    .description('rewind groups to a time; stop the services of the groups first')
    .requiredOption('--to <time>', 'RFC 3339, 2026-01-27T10:00:00Z say', parseTime)
    .option('--topic <topic>', 'only this topic')
    .option('--all', 'all groups, for use after a restore')
    .option('--apply', 'set the positions')
    .action(async (group: string | undefined, options: RewindOptions) => {
      if ((group === undefined) === (options.all !== true))
        throw new CommandError('Pass a group or --all.', 2)
      const { apply = false } = options
      const plans = await withKafka(async ({ kafka }) => {
        const plans = await planAll(kafka, group, options)
        const groups = Map.groupBy(apply ? plans : [], (plan) => plan.group)
        // Setting positions takes seconds per topic, so groups run in parallel; the topics of one group run
        // in sequence.
        await Promise.all([...groups.values()].map((own) => rewindInTurn(kafka, own)))
        return plans
      })
      output.print(
        [
          ...plans.map(
            ({ group, topic, records }) =>
              `${group} ${apply ? 'will' : 'would'} reread ${records} records of ${topic}`,
          ),
          ...(apply ? [] : [dryRunNote]),
        ],
        { plans, applied: apply },
      )
    })
}

/** The lag of a group, with the age of its oldest uncommitted record in seconds; 0 without one. */
type AgedLag = GroupLag & { readonly oldestSeconds: number }

async function agedLags(kafka: KafkaConnection): Promise<AgedLag[]> {
  const lags: AgedLag[] = []
  for (const lag of await groupLags(kafka)) {
    const oldest = lag.records > 0 ? await oldestWaiting(kafka, lag) : null
    const ageMs = oldest === null ? 0 : Math.max(0, Date.now() - oldest.getTime())
    lags.push({ ...lag, oldestSeconds: Math.round(ageMs / 1_000) })
  }
  return lags
}

/** Plans all rewinds; omits positions that would not change. */
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

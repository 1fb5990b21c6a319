import {
  type DeadLetter,
  deadLetterTopics,
  discardDeadLetter,
  type KafkaConnection,
  listDeadLetters,
  type Publisher,
  replayDeadLetter,
} from '@bigtech/kafka'
import { CommandError } from '@bigtech/service-kit'
import type { Command } from 'commander'
import { parseCount, parseTime } from '../arguments.ts'
import { withKafka } from '../kafka-session.ts'
import { type CommandContext, dryRunNote } from '../output.ts'

interface Filter {
  readonly eventId?: string
  readonly place?: string
  readonly group?: string
  readonly type?: string
  readonly since?: Date
  readonly limit?: number
  readonly settled?: boolean
}

interface ChangeOptions extends Filter {
  readonly all?: boolean
  readonly apply?: boolean
}

/** Adds the commands `dead-letters list|show|replay|discard`. */
export function addDeadLetterCommands(program: Command, context: CommandContext): void {
  const letters = program.command('dead-letters').description('manage dead-lettered events')
  filtered(
    letters.command('list [topic]').description('count dead letters per topic, or list those of one topic'),
  ).action((topic: string | undefined, filter: Filter) =>
    topic === undefined ? listTopics(context) : list(topic, filter, context),
  )
  filtered(letters.command('show <topic>').description('print headers and values')).action(
    (topic: string, filter: Filter) => show(topic, filter, context),
  )
  changing(
    letters.command('replay <topic>').description('replay events to the group that dead-lettered them'),
  ).action((topic: string, options: ChangeOptions) =>
    change('replay', replayDeadLetter, { topic, options, context }),
  )
  changing(letters.command('discard <topic>').description('mark events as not to be replayed')).action(
    (topic: string, options: ChangeOptions) =>
      change('discard', discardDeadLetter, { topic, options, context }),
  )
}

function filtered(command: Command): Command {
  return command
    .option('--event-id <id>', 'only this event')
    .option('--place <partition:offset>', 'only this record of the dead-letter topic')
    .option('--group <group>', 'dead-lettered by this consumer group')
    .option('--type <event-type>', 'only this event type')
    .option('--since <time>', 'failed at or after this time', parseTime)
    .option('--limit <n>', 'maximum number', parseCount)
    .option('--settled', 'include replayed and discarded events')
}

function changing(command: Command): Command {
  return filtered(command)
    .option('--all', 'all events, without a filter')
    .option('--apply', 'perform the change')
}

async function select(kafka: KafkaConnection, topic: string, filter: Filter): Promise<DeadLetter[]> {
  if (!(await deadLetterTopics(kafka)).includes(topic))
    throw new CommandError(`The topic "${topic}" does not exist or has no dead-letter topic.`, 2)
  const { eventId, place, group, type: eventType, since } = filter
  const letters = await listDeadLetters(kafka, topic, { eventId, place, group, eventType, since })
  return letters.filter((letter) => filter.settled || isWaiting(letter)).slice(0, filter.limit)
}

const isWaiting = ({ replayedAt, discardedAt }: DeadLetter) => replayedAt === null && discardedAt === null

async function listTopics({ output }: CommandContext): Promise<void> {
  const counts = await withKafka(async ({ kafka }) => {
    const topics = await deadLetterTopics(kafka)
    return Promise.all(
      topics.map(async (topic) => {
        const letters = await listDeadLetters(kafka, topic)
        const waiting = letters.filter(isWaiting).length
        return { topic, waiting, settled: letters.length - waiting }
      }),
    )
  })
  output.print(
    counts.map(({ topic, waiting, settled }) => `${topic}: ${waiting} waiting, ${settled} settled`),
    counts,
  )
}

async function list(topic: string, filter: Filter, { output }: CommandContext): Promise<void> {
  const letters = await withKafka(({ kafka }) => select(kafka, topic, filter))
  output.print([...letters.map(line), `${letters.length} dead letters`], letters.map(withoutRecord))
}

async function show(topic: string, filter: Filter, { output }: CommandContext): Promise<void> {
  const letters = await withKafka(({ kafka }) => select(kafka, topic, filter))
  const whole = letters.map((letter) => ({
    ...withoutRecord(letter),
    key: letter.record.key?.toString() ?? null,
    headers: letter.record.headers,
    value: letter.record.value?.toString() ?? null,
  }))
  output.print(
    whole.map((each) => JSON.stringify(each, null, 2)),
    whole,
  )
}

async function change(
  verb: 'replay' | 'discard',
  act: (publisher: Publisher, letter: DeadLetter) => Promise<void>,
  { topic, options, context }: { topic: string; options: ChangeOptions; context: CommandContext },
): Promise<void> {
  const { all, apply = false, settled: _, ...filter } = options
  if (!all && Object.keys(filter).length === 0)
    throw new CommandError(`This would ${verb} every dead letter of ${topic}: pass --all or a filter.`, 2)
  const results = await withKafka(async ({ kafka, publisher }) => {
    const letters = await select(kafka, topic, options)
    if (!apply) return letters.map((letter) => ({ letter, error: null }))
    const done: { letter: DeadLetter; error: string | null }[] = []
    for (const letter of letters) {
      const error = await act(publisher, letter).then(
        () => null,
        (reason: Error) => reason.message,
      )
      done.push({ letter, error })
    }
    return done
  })
  const failed = results.filter(({ error }) => error !== null).length
  context.output.print(
    [
      ...results.map(
        ({ letter, error }) => `${error === null ? verb : `NOT ${verb} (${error})`}  ${line(letter)}`,
      ),
      `${results.length - failed} to ${verb}${apply ? ', done' : ''}, ${failed} failed`,
      ...(apply ? [] : [dryRunNote]),
    ],
    {
      applied: apply,
      failed,
      letters: results.map(({ letter, error }) => ({ ...withoutRecord(letter), error })),
    },
  )
  context.exit(failed === 0 ? 0 : 1)
}

function line(letter: DeadLetter): string {
  const { place, failedAt, eventType, eventId, group, attempts, error, replayedAt, discardedAt } = letter
  const what = `${eventType || 'unreadable'} ${eventId || '-'}`
  const state = replayedAt ? `  (replayed ${replayedAt})` : discardedAt ? `  (discarded ${discardedAt})` : ''
  return `${place}  ${failedAt}  ${what}  ${group}  ${attempts} attempts  ${error}${state}`
}

function withoutRecord({ record: _, ...letter }: DeadLetter): Omit<DeadLetter, 'record'> {
  return letter
}

import { parseArgs } from 'node:util'
import type { KafkaConnection } from '../kafka.ts'
import type { Publisher } from '../publisher/publisher.ts'
import {
  type DeadLetter,
  deadLetterTopics,
  type LetterFilter,
  listDeadLetters,
  replayDeadLetter,
} from './dead-letters.ts'

export const usage = `Dead letters: events a consumer gave up on.

  dlt-cli.ts list                                  how many wait, per topic
  dlt-cli.ts list    --topic <topic> [filter]      one line each
  dlt-cli.ts inspect --topic <topic> [filter]      headers and value
  dlt-cli.ts replay  --topic <topic> [filter] [--dry-run]

Filter: --event-id <id>  --place <partition:offset>  --group <consumer group>  --type <event type>
        --since <time>  --limit <n>  --again (those replayed before, too)
A replay without a filter needs --all. Only the group that gave an event up handles its replay.

Environment: KAFKA_BROKERS (comma separated), KAFKA_TOPIC_PREFIX
`

const options = {
  topic: { type: 'string' },
  'event-id': { type: 'string' },
  place: { type: 'string' },
  group: { type: 'string' },
  type: { type: 'string' },
  since: { type: 'string' },
  limit: { type: 'string' },
  again: { type: 'boolean' },
  all: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
} as const

const commands = ['list', 'inspect', 'replay']

type Flags = ReturnType<typeof parseFlags>['values']

/** The operator asked for something that makes no sense; the message says what would. */
export class UsageError extends Error {}

export interface CommandContext {
  readonly kafka: KafkaConnection
  readonly publisher: Publisher
  readonly print: (line: string) => void
}

/** Runs one command; returns the exit code. */
export async function runCommand(args: readonly string[], ctx: CommandContext): Promise<number> {
  const { values, positionals } = parseFlags(args)
  const [command] = positionals
  if (!commands.includes(command ?? '')) throw new UsageError(`unknown command ${command ?? ''}`)
  if (command === 'list' && values.topic === undefined) return listTopics(ctx)
  if (values.topic === undefined) throw new UsageError('--topic is needed')
  if (command === 'replay') refuseWithoutFilter(values)
  const letters = await select(ctx.kafka, values.topic, values)
  if (command === 'list') return list(letters, ctx)
  if (command === 'inspect') return inspect(letters, ctx)
  return replay(letters, values, ctx)
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

async function select(kafka: KafkaConnection, topic: string, values: Flags): Promise<DeadLetter[]> {
  const since = values.since === undefined ? undefined : new Date(values.since)
  if (since && Number.isNaN(since.getTime())) throw new UsageError('--since is not a time')
  const limit = values.limit === undefined ? undefined : Number(values.limit)
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
    throw new UsageError('--limit is not a number')
  const letters = await listDeadLetters(kafka, topic, { ...filterOf(values), since })
  return letters.filter((letter) => values.again || letter.replayedAt === null).slice(0, limit)
}

function filterOf(values: Flags): LetterFilter {
  return { eventId: values['event-id'], place: values.place, group: values.group, eventType: values.type }
}

async function listTopics({ kafka, print }: CommandContext): Promise<number> {
  for (const topic of await deadLetterTopics(kafka)) {
    const letters = await listDeadLetters(kafka, topic)
    const waiting = letters.filter(({ replayedAt }) => replayedAt === null).length
    print(`${topic}: ${waiting} waiting, ${letters.length - waiting} replayed`)
  }
  return 0
}

function list(letters: readonly DeadLetter[], { print }: CommandContext): number {
  for (const letter of letters) print(line(letter))
  print(`${letters.length} dead letters`)
  return 0
}

function line(letter: DeadLetter): string {
  const { place, failedAt, eventType, eventId, group, attempts, error, replayedAt } = letter
  const state = replayedAt === null ? '' : `  (replayed ${replayedAt})`
  const what = `${eventType || 'unreadable'} ${eventId || '-'}`
  return `${place}  ${failedAt}  ${what}  ${group}  ${attempts} attempts  ${error}${state}`
}

function inspect(letters: readonly DeadLetter[], { print }: CommandContext): number {
  for (const { record, ...letter } of letters) {
    const text = record.value?.toString() ?? null
    print(
      JSON.stringify(
        { ...letter, key: record.key?.toString() ?? null, headers: record.headers, value: text },
        null,
        2,
      ),
    )
  }
  return 0
}

function refuseWithoutFilter(values: Flags): void {
  const filtered = [...Object.values(filterOf(values)), values.since, values.limit].some(
    (each) => each !== undefined,
  )
  if (!filtered && !values.all)
    throw new UsageError('this would replay everything: say --all, or give a filter')
}

async function replay(letters: readonly DeadLetter[], values: Flags, ctx: CommandContext): Promise<number> {
  const { print, publisher } = ctx
  if (values['dry-run']) {
    for (const letter of letters) print(`would replay ${line(letter)}`)
    print(`${letters.length} would be replayed`)
    return 0
  }
  let failed = 0
  for (const letter of letters) {
    try {
      await replayDeadLetter(publisher, letter)
      print(`replayed ${line(letter)}`)
    } catch (error) {
      failed++
      print(`NOT replayed ${line(letter)}: ${(error as Error).message}`)
    }
  }
  print(`${letters.length - failed} replayed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

import { CommandError, type Environment } from '@bigtech/service-kit'
import { MySqlSession } from '@bigtech/stores'
import type { Command } from 'commander'
import { type CommandContext, dryRunNote } from '../output.ts'
import { chooseServices, environmentOf, withService } from '../services.ts'

interface ParkedRow {
  readonly id: number
  readonly topic: string
  readonly event_type: string
  readonly event_id: string
  readonly parked_reason: string | null
}

interface Backlog {
  readonly service: string
  readonly waiting: number
  readonly oldest_seconds: number
  readonly parked: number
}

/** Adds the commands `outbox backlog|parked|release`. */
export function addOutboxCommands(program: Command, { output, exit }: CommandContext): void {
  const outbox = program.command('outbox').description('manage unpublished events in MySQL')
  outbox
    .command('backlog')
    .description('count the unpublished events of each service, in its outbox and in the log of messages')
    .option('--service <name...>', 'only these services')
    .action(async ({ service = [] }: { service?: string[] }) => {
      const backlogs = (await Promise.all(chooseServices(service).map(backlogOf))).flat()
      output.print(
        backlogs.map(
          ({ service, waiting, oldest_seconds, parked }) =>
            `${service}: ${waiting} waiting, oldest ${oldest_seconds} s, ${parked} parked`,
        ),
        backlogs,
      )
    })
  outbox
    .command('parked <service>')
    .description('list events rejected by Kafka')
    .action(async (service: string) => {
      const rows = await withOutbox(service, (session) =>
        session.query<ParkedRow[]>(
          'SELECT id, topic, event_type, event_id, parked_reason FROM outbox WHERE sent = 2 ORDER BY id LIMIT 1000',
        ),
      )
      output.print(
        rows.map(
          (row) => `${row.id}  ${row.topic}  ${row.event_type}  ${row.event_id}  ${row.parked_reason ?? ''}`,
        ),
        rows,
      )
    })
  outbox
    .command('release <service> <id>')
    .description('publish a parked event after its cause was repaired')
    .option('--apply', 'perform the change')
    .action(async (service: string, id: string, { apply = false }: { apply?: boolean }) => {
      if (!/^\d+$/.test(id)) throw new CommandError(`"${id}" is not an outbox row id.`, 2)
      const found = await withOutbox(service, (session) => release(session, Number(id), apply))
      const what = found
        ? `${apply ? 'Released' : 'Would release'} event ${id}.`
        : `There is no parked event ${id}.`
      output.print([what, ...(found && !apply ? [dryRunNote] : [])], { found, applied: apply && found })
      exit(found ? 0 : 1)
    })
}

async function release(session: MySqlSession, id: number, apply: boolean): Promise<boolean> {
  const rows = await session.query<unknown[]>('SELECT id FROM outbox WHERE sent = 2 AND id = ?', [id])
  if (rows.length > 0 && apply)
    await session.query('UPDATE outbox SET sent = 0, parked_reason = NULL WHERE sent = 2 AND id = ?', [id])
  return rows.length > 0
}

async function backlogOf(service: string): Promise<Backlog[]> {
  return [...(await rowsWaiting(service)), ...(await logWaiting(service))]
}

/** The log of chat-service's messages is its own outbox. */
async function logWaiting(service: string): Promise<Backlog[]> {
  const backlog = await withService(service, async (operations) => operations.backlog?.())
  if (!backlog) return []
  const { waiting, oldestSeconds } = backlog
  return [{ service: `${service} (log)`, waiting, oldest_seconds: oldestSeconds, parked: 0 }]
}

async function rowsWaiting(service: string): Promise<Backlog[]> {
  return withSession(await environmentOf(service), async (session) => {
    if (!(await hasOutbox(session))) return []
    const [row] = await session.query<{ waiting: number; parked: number; oldest: number | null }[]>(
      `SELECT COALESCE(SUM(sent = 0), 0) AS waiting, COALESCE(SUM(sent = 2), 0) AS parked,
         TIMESTAMPDIFF(SECOND, MIN(IF(sent = 0, created_at, NULL)), UTC_TIMESTAMP(3)) AS oldest
       FROM outbox WHERE sent IN (0, 2)`,
    )
    return [
      {
        service,
        waiting: Number(row?.waiting ?? 0),
        oldest_seconds: Number(row?.oldest ?? 0),
        parked: Number(row?.parked ?? 0),
      },
    ]
  })
}

async function withOutbox<Result>(
  service: string,
  work: (session: MySqlSession) => Promise<Result>,
): Promise<Result> {
  const [name] = chooseServices([service])
  return withSession(await environmentOf(name as string), async (session) => {
    if (!(await hasOutbox(session))) throw new CommandError(`${service} has no outbox in MySQL.`, 2)
    return work(session)
  })
}

async function hasOutbox(session: MySqlSession): Promise<boolean> {
  const rows = await session.query<unknown[]>("SHOW TABLES LIKE 'outbox'")
  return rows.length > 0
}

async function withSession<Result>(
  env: Environment,
  work: (session: MySqlSession) => Promise<Result>,
): Promise<Result> {
  if (!env.DATABASE_URL) throw new CommandError('DATABASE_URL is not set.', 2)
  const session = new MySqlSession(env.DATABASE_URL)
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}

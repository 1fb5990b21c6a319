import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDatabases, MYSQL_ROOT, mongoUrl } from './databases.ts'
import { emptyInstance, type Instance, noteStart, type Passwords, passwordsOf } from './instance.ts'
import { lockHolder, takeLock } from './lock.ts'
import { endLeftovers } from './pids.ts'
import { type PortName, requireFreePorts } from './ports.ts'
import { messageOf, UserError } from './problems.ts'
import { notice, step } from './progress.ts'
import { recordHelpersIn, together } from './run.ts'
import { type AudioTools, fetchAudioTools } from './servers/audio-tools.ts'
import { createMongoAccounts, dockerServers, prepareDocker } from './servers/docker.ts'
import { documentdb } from './servers/documentdb.ts'
import { kafka } from './servers/kafka.ts'
import { mail } from './servers/mail.ts'
import { mariadb } from './servers/mariadb.ts'
import { objectStore, objectStoreAccess } from './servers/object-store.ts'
import { openIdProvider } from './servers/open-id-provider.ts'
import { alertmanager, prometheus } from './servers/prometheus.ts'
import { redis } from './servers/redis.ts'
import type { Server } from './servers/server.ts'
import { Supervisor } from './supervisor.ts'
import { createTopics } from './topics.ts'

const privateServers: readonly Server[] = [kafka, documentdb, objectStore, mariadb, redis]

const serverPorts: readonly PortName[] = [
  'mysql',
  'redis',
  'mongo',
  'kafka',
  'kafkaController',
  's3',
  'smtp',
  'mailbox',
  'openId',
]

export interface Stack {
  instance: Instance
  passwords: Passwords
  supervisor: Supervisor
  /** Command line of the MongoDB-compatible server, with which tests start one that requires accounts. */
  mongoCommand?: readonly string[]
}

export interface OpenOptions {
  /** Ports in addition to the servers'. */
  ports?: readonly PortName[]
  /** Deletes all data first. */
  reset?: boolean
}

/** Prepares an instance: stops leftovers of an earlier run and checks the ports before anything starts. */
export async function openStack(instance: Instance, options: OpenOptions = {}): Promise<Stack> {
  requireAlone(instance)
  if (instance.note) notice(instance.note)
  const ended = await endLeftovers(instance.pidFolder)
  if (ended.length > 0) notice(`stopped leftovers of an earlier run: ${ended.join(', ')}`)
  await requireFreePorts(instance.ports, [...serverPorts, ...(options.ports ?? [])], instance.name)
  if (options.reset) emptyInstance(instance)
  recordHelpersIn(instance.pidFolder)
  noteStart(instance)
  const passwords = passwordsOf(instance)
  if (instance.isDocker) await prepareDocker({ instance, passwords }, options.reset === true)
  const supervisor = new Supervisor({ logs: instance.logFolder, pids: instance.pidFolder })
  return { instance, passwords, supervisor }
}

/** Rejects a second start, which would treat the first one's processes as leftovers. */
function requireAlone(instance: Instance): void {
  const lock = join(instance.folder, 'running.lock')
  if (!takeLock(lock)) {
    const holder = lockHolder(lock)?.pid ?? '?'
    throw new UserError(
      `The instance "${instance.name}" is already running (process ${holder}): stop it, or start another one with --instance NAME.`,
    )
  }
  process.on('exit', () => rmSync(lock, { force: true }))
}

/** Fetches and starts the servers in parallel, then creates databases, accounts and topics. */
export async function startServers(stack: Stack): Promise<void> {
  const servers = stack.instance.isDocker ? [...dockerServers, objectStore] : privateServers
  const [audio] = await Promise.all([
    // Optional: without apt and without ffmpeg everything else works.
    fetchAudioTools(stack.instance.cacheFolder).catch((error: unknown) => {
      notice(messageOf(error))
      return undefined
    }),
    together([...servers, mail, openIdProvider].map((server) => startServer(stack, server))),
  ])
  writeServersFile(stack, audio)
}

/** Starts Prometheus with the alert rules, and Alertmanager. */
export async function startObservability(stack: Stack): Promise<void> {
  await together([prometheus, alertmanager].map((server) => startServer(stack, server)))
}

async function startServer(stack: Stack, server: Server): Promise<void> {
  const { instance, passwords, supervisor } = stack
  const work = async () => {
    const specs = await server.prepare({ instance, passwords })
    for (const spec of specs) {
      supervisor.add(spec)
      await supervisor.start(spec.name)
    }
    const last = specs.at(-1)
    const { name, port } = last ?? {}
    if (name === 'mysql') await createDatabases(instance, passwords)
    if (name === 'kafka') await createTopics(instance)
    if (name === 'mongodb' && instance.isDocker) await createMongoAccounts({ instance, passwords })
    else if (last && name === 'mongodb') stack.mongoCommand = [last.command, ...last.args]
    return port
  }
  await step(server.title, work, (port) => `${server.title} on ${port}`)
}

export function serversFile(instance: Instance): string {
  return join(instance.folder, 'servers.json')
}

/** Writes the server addresses for integration tests; contains a password, so readable by this user only. */
function writeServersFile({ instance, passwords, mongoCommand }: Stack, audio: AudioTools | undefined): void {
  const { ports } = instance
  const host = '127.0.0.1'
  const content = {
    mysql: { host, port: ports.mysql, user: 'root', password: passwords(MYSQL_ROOT) },
    redis: { host, port: ports.redis },
    mongo: { url: mongoUrl(instance, passwords), ...(mongoCommand && { command: mongoCommand }) },
    kafka: { brokers: [`${host}:${ports.kafka}`] },
    s3: objectStoreAccess(instance, passwords),
    ...(audio ? { audio } : {}),
  }
  writeFileSync(serversFile(instance), `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
}

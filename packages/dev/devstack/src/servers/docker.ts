import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MYSQL_ROOT } from '../databases.ts'
import type { Instance, Passwords } from '../instance.ts'
import { findProgram } from '../paths.ts'
import { UserError } from '../problems.ts'
import { step } from '../progress.ts'
import { run } from '../run.ts'
import { SERVER_ORDER, type Server, type ServerContext } from './server.ts'

/** Returns true when a Docker engine responds. */
async function hasDocker(): Promise<boolean> {
  if (!findProgram('docker')) return false
  return run('docker', ['info', '--format', '{{.ServerVersion}}']).then(
    (version) => version.trim() !== '',
    () => false,
  )
}

/** Returns whether to use Docker: on request, or by default if available. */
export async function shouldUseDocker(wanted: boolean | undefined): Promise<boolean> {
  if (wanted === false) return false
  const found = await hasDocker()
  if (wanted && !found) throw new UserError('Docker does not respond: start it, or run without --docker.')
  return found
}

const files = [
  'docker-compose.msa.yml',
  'infrastructure/docker/compose/small.yml',
  'infrastructure/docker/compose/dev.yml',
]

/** The Compose services that replace our servers, by the names used in the stack. */
const containers = { mysql: 'mysql', mongodb: 'mongodb', redis: 'redis', kafka: 'kafka-1' } as const
type ServerName = keyof typeof containers

/**
 * Returns the differences from the Compose files: names for several instances, and a Redis without password,
 * because it listens on this machine only and tests connect by address alone.
 */
function override(): string {
  const services = Object.values(containers).map((name) => `  ${name}:\n    container_name: !reset null\n`)
  const redis = '    command: [redis-server, --appendonly, "yes", --maxmemory-policy, noeviction]\n'
  return `services:\n${services.join('').replace('  redis:\n', `  redis:\n${redis}`)}`
}

/** Returns the `docker compose` arguments for an instance. */
export function composeArgs(
  instance: Pick<Instance, 'name' | 'root' | 'keyFolder'>,
  args: readonly string[],
): string[] {
  const all = [...files.map((file) => join(instance.root, file)), join(instance.keyFolder, 'compose.yml')]
  const project = ['--project-name', `bigtech-${instance.name}`, '--project-directory', instance.root]
  const settings = ['--env-file', join(instance.keyFolder, 'compose.env')]
  return ['compose', ...project, ...settings, ...all.flatMap((file) => ['--file', file]), ...args]
}

/** Returns ports and passwords as environment variables, which override the generated secrets file. */
export function composeEnv(instance: Pick<Instance, 'ports'>, passwords: Passwords): NodeJS.ProcessEnv {
  const { ports } = instance
  return {
    ...process.env,
    DEVSTACK_MYSQL_PORT: String(ports.mysql),
    DEVSTACK_MONGO_PORT: String(ports.mongo),
    DEVSTACK_REDIS_PORT: String(ports.redis),
    DEVSTACK_KAFKA_PORT: String(ports.kafka),
    MYSQL_ROOT_PASSWORD: passwords(MYSQL_ROOT),
    MONGO_ROOT_PASSWORD: passwords('mongo-root'),
    MONGO_CHAT_PASSWORD: passwords('mongo-chat'),
  }
}

function compose(
  context: ServerContext,
  args: readonly string[],
  onLine?: (line: string) => void,
): Promise<string> {
  const { instance, passwords } = context
  return run('docker', composeArgs(instance, args), {
    env: composeEnv(instance, passwords),
    cwd: instance.root,
    onLine,
  })
}

/** Writes the settings and pulls the images, once per start. */
export async function prepareDocker(context: ServerContext, reset: boolean): Promise<void> {
  const { instance } = context
  writeFileSync(join(instance.keyFolder, 'compose.yml'), override())
  const makeEnv = join(instance.root, 'infrastructure/docker/make-env.sh')
  await run('sh', [makeEnv, join(instance.keyFolder, 'compose.env')], { cwd: instance.root })
  if (reset) await step('Docker: emptying volumes', () => compose(context, ['down', '--volumes']))
  await step('Docker: images', (say) =>
    compose(context, ['pull', '--policy', 'missing', ...Object.values(containers)], say),
  )
}

/** Parses the health from `docker compose ps`: "starting", "healthy" or "unhealthy", empty before it exists. */
export function isHealthy(health: string): boolean {
  return health.trim() === 'healthy'
}

/** Describes a container in the foreground, which is watched, stopped and restarted like any process. */
function containerServer(title: string, name: ServerName, port: (instance: Instance) => number): Server {
  const service = containers[name]
  return {
    title,
    async prepare(context) {
      const { instance, passwords } = context
      return [
        {
          name,
          command: 'docker',
          args: composeArgs(instance, ['up', '--no-deps', '--no-color', '--no-log-prefix', service]),
          cwd: instance.root,
          env: composeEnv(instance, passwords),
          port: port(instance),
          isReady: async () => isHealthy(await compose(context, ['ps', '--format', '{{.Health}}', service])),
          readyWithinMs: 180_000,
          stopSignal: 'SIGINT',
          stopWithinMs: 70_000,
          order: SERVER_ORDER,
          isShown: false,
          signal: async (signal) => void (await compose(context, ['kill', '--signal', signal, service])),
        },
      ]
    },
  }
}

export const dockerServers: readonly Server[] = [
  containerServer('MySQL', 'mysql', ({ ports }) => ports.mysql),
  containerServer('MongoDB', 'mongodb', ({ ports }) => ports.mongo),
  containerServer('Redis', 'redis', ({ ports }) => ports.redis),
  containerServer('Kafka', 'kafka', ({ ports }) => ports.kafka),
]

/** Creates the restricted account of chat-service. Idempotent. */
export async function createMongoAccounts(context: ServerContext): Promise<void> {
  await compose(context, ['run', '--rm', '--no-deps', 'mongodb-accounts'])
}

import type { Args } from '../args.ts'
import { servicePorts, startGround, startServices } from '../bring-up.ts'
import { startControl } from '../control.ts'
import { guarded } from '../guarded.ts'
import { openInstance } from '../instance.ts'
import { operatorToken } from '../keys.ts'
import { bold, dim } from '../logs.ts'
import type { PortName } from '../ports.ts'
import { messageOf } from '../problems.ts'
import { notice, seconds, step } from '../progress.ts'
import { demoUsers, seed } from '../seed.ts'
import { shouldUseDocker } from '../servers/docker.ts'
import { processFor } from '../service-process.ts'
import { openStack, type Stack, startObservability } from '../stack.ts'
import { watchSources } from '../watch.ts'
import { servers } from './servers.ts'

/** Runs everything in the foreground until Ctrl-C. */
export async function start(args: Args): Promise<number> {
  if (args.onlyServers) return servers(args)
  const began = Date.now()
  const instance = openInstance(args.instance, await shouldUseDocker(args.docker))
  console.log(bold(`BigTech Chat, instance "${instance.name}"`))
  const stack = await openStack(instance, {
    ports: [...servicePorts(instance.root, args.without), 'stack', ...(args.observability ? observed : [])],
    reset: args.reset,
  })
  stack.supervisor.show(args.verbose ? 'all' : 'errors')
  return guarded(stack, async (interrupted) => {
    await startGround(stack)
    await startServices(stack, args.without)
    const { supervisor, passwords } = stack
    await startControl(instance.ports.stack, supervisor, (name) => processFor(name, instance, passwords))
    if (args.observability) await startObservability(stack)
    await seedDemo(stack)
    console.log(`\n${summary(stack)}\n`)
    if (!args.verbose) supervisor.show('news')
    const stopWatching = args.watch ? watchSources(stack) : undefined
    console.log(`${bold('Ready')} after ${seconds(began)}. ${dim('Ctrl-C stops everything.')}\n`)
    await interrupted
    stopWatching?.()
    return 0
  })
}

const observed: readonly PortName[] = ['prometheus', 'alertmanager']

const seeded = ['gateway', 'user-service', 'friend-service', 'chat-service']

/** Seeds demo users. A failure is reported but not fatal, so that the running stack can be inspected. */
async function seedDemo(stack: Stack): Promise<void> {
  const names = stack.supervisor.list().map((info) => info.name)
  if (!seeded.every((name) => names.includes(name)))
    return notice('demo users are skipped: they need all services')
  try {
    await step('Demo users', () => seed(`http://127.0.0.1:${stack.instance.ports.gateway}`))
  } catch (error) {
    notice(messageOf(error))
  }
}

/** Returns the table of addresses and accounts. */
export function summary({ instance, supervisor }: Stack): string {
  const { ports } = instance
  const has = (name: string) => supervisor.has(name)
  const rows: Array<[string, string]> = []
  if (has('gateway')) rows.push(['The chat, in a browser', `http://localhost:${ports.gateway}/`])
  if (has('gateway')) rows.push(['API through the gateway', `http://localhost:${ports.gateway}/api`])
  const withPages = supervisor.list().filter(({ name }) => name.endsWith('-service'))
  const pages = withPages.map(({ name, port }) => `${port} ${name.replace('-service', '')}`)
  rows.push(['API pages of services', `http://localhost:PORT/docs  ${pages.join(', ')}`])
  const monitor = `http://localhost:${ports.media}/monitor  ${operatorToken(instance)}`
  if (has('media-service')) rows.push(['Job monitor, token', monitor])
  rows.push(['Mailbox', `http://localhost:${ports.mailbox}/`])
  rows.push(['Fake Google sign-in', 'any address, any password: "Continue with Google" in the chat'])
  if (has('prometheus')) rows.push(['Prometheus', `http://localhost:${ports.prometheus}/`])
  if (has('alertmanager')) rows.push(['Alertmanager', `http://localhost:${ports.alertmanager}/`])
  rows.push(['Object store (S3)', `http://localhost:${ports.s3}/`])
  const { mysql, redis, mongo, kafka } = ports
  rows.push(['Stores', `MySQL ${mysql}, Redis ${redis}, MongoDB ${mongo}, Kafka ${kafka}, on 127.0.0.1`])
  rows.push(['Logs', 'npm run logs -- chat-service'])
  rows.push(['Passwords, data, logs', instance.folder])
  const accounts = demoUsers.map(({ email, password }) => `${email}  ${password}`)
  rows.push(['Sign in as', accounts.join('   or   ')])
  const width = Math.max(...rows.map(([title]) => title.length)) + 2
  return rows.map(([title, value]) => `  ${title.padEnd(width)}${bold(value)}`).join('\n')
}

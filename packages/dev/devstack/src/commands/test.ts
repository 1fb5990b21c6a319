import { rmSync } from 'node:fs'
import type { Args } from '../args.ts'
import { servicePorts, startGround, startServices } from '../bring-up.ts'
import { startControl } from '../control.ts'
import { guarded, type Interrupted } from '../guarded.ts'
import { type Instance, openInstance } from '../instance.ts'
import { operatorToken } from '../keys.ts'
import { bold, dim, green, red } from '../logs.ts'
import { messageOf } from '../problems.ts'
import { notice, seconds } from '../progress.ts'
import { findChromium } from '../servers/chromium.ts'
import { shouldUseDocker } from '../servers/docker.ts'
import { koreanFontEnvironment } from '../servers/korean-font.ts'
import { processFor } from '../service-process.ts'
import { openStack, type Stack, serversFile } from '../stack.ts'
import { type Count, runChecks } from './lint.ts'
import { runVitest, type VitestRun } from './vitest.ts'

interface Stage {
  title: string
  run: () => Promise<Count>
}

/** Runs every check required for a change, against real servers on separate ports, beside a running `npm start`. */
export async function test(args: Args): Promise<number> {
  const instance = openInstance(args.instance, await shouldUseDocker(args.docker))
  const stack = await openStack(instance, { ports: [...servicePorts(instance.root), 'stack'], reset: true })
  stack.supervisor.show('nothing')
  let total: Count = { passed: 0, failed: 0, failures: [] }
  const code = await guarded(stack, async (interrupted) => {
    total = await runStages(stages(stack, args.rest), interrupted)
    return total.failed === 0 && total.passed > 0 ? 0 : 1
  })
  rmSync(instance.dataFolder, { recursive: true, force: true })
  console.log(`${total.passed} passed, ${total.failed} failed`)
  return code
}

function stages(stack: Stack, filters: readonly string[]): Stage[] {
  const { instance } = stack
  const vitest = (options: Pick<VitestRun, 'projects' | 'env'>) =>
    runVitest({ ...options, filters, folder: instance.folder, pidFolder: instance.pidFolder })
  const servers = { BIGTECH_SERVERS_FILE: serversFile(instance) }
  const all: Stage[] = [
    { title: 'Servers', run: () => nothingCounted(startGround(stack)) },
    { title: 'Checks', run: runChecks },
    {
      title: 'Unit and integration tests',
      run: () => vitest({ projects: ['unit', 'integration'], env: servers }),
    },
    { title: 'Services', run: () => nothingCounted(startAll(stack)) },
    {
      title: 'End to end tests',
      run: async () => {
        const env = { ...servers, ...testEnvironment(instance), ...(await browser(instance)) }
        return vitest({ projects: ['e2e', 'e2e-alone'], env })
      },
    },
  ]
  return all.filter((stage) => isWanted(stage.title, filters))
}

/** With filters only tests run, and services are started only for tests that need them. */
function isWanted(title: string, filters: readonly string[]): boolean {
  if (filters.length === 0) return true
  if (title === 'Checks') return false
  const needsServices = title === 'Services' || title === 'End to end tests'
  return (
    !needsServices ||
    filters.some((filter) => crossing.some((folder) => folder.includes(filter) || filter.includes(folder)))
  )
}

const crossing = ['tests/integration', 'tests/e2e', 'tests/chaos', 'tests/ops']

/** Counts a failed setup as one failed test, and a successful one as none. */
async function nothingCounted(work: Promise<void>): Promise<Count> {
  await work
  return { passed: 0, failed: 0, failures: [] }
}

async function startAll(stack: Stack): Promise<void> {
  const { instance, passwords, supervisor } = stack
  await startServices(stack)
  await startControl(instance.ports.stack, supervisor, (name) => processFor(name, instance, passwords))
}

async function runStages(list: Stage[], interrupted: Interrupted): Promise<Count> {
  const total: Count = { passed: 0, failed: 0, failures: [] }
  const lines: string[] = []
  let isInterrupted = false
  interrupted.then(() => {
    isInterrupted = true
  })
  for (const stage of list) {
    if (isInterrupted) break
    const began = Date.now()
    console.log(`\n${bold(stage.title)}`)
    const count = await runStage(stage)
    total.passed += count.passed
    total.failed += count.failed
    total.failures.push(...count.failures)
    const mark = count.failed === 0 ? green('✓') : red('✗')
    lines.push(
      `  ${mark} ${stage.title}: ${count.passed} passed, ${count.failed} failed ${dim(seconds(began))}`,
    )
  }
  if (isInterrupted) {
    total.failed += 1
    total.failures.push('interrupted')
  }
  console.log(`\n${bold('Summary')}\n${lines.join('\n')}\n`)
  for (const failure of total.failures) console.log(`${red('✗')} ${failure}`)
  if (total.failures.length > 0) console.log()
  return total
}

async function runStage(stage: Stage): Promise<Count> {
  try {
    return await stage.run()
  } catch (error) {
    const message = messageOf(error)
    console.log(red(message))
    return { passed: 0, failed: 1, failures: [`${stage.title}: ${message.split('\n', 1)[0]}`] }
  }
}

/** Returns the addresses of the running system for tests. */
export function testEnvironment(instance: Instance): Record<string, string> {
  const { ports } = instance
  const local = (port: number) => `http://127.0.0.1:${port}`
  return {
    BIGTECH_GATEWAY_URL: local(ports.gateway),
    BIGTECH_USER_URL: local(ports.user),
    BIGTECH_FRIEND_URL: local(ports.friend),
    BIGTECH_CHAT_URL: local(ports.chat),
    BIGTECH_NOTIFICATION_URL: local(ports.notification),
    BIGTECH_ANALYTICS_URL: local(ports.analytics),
    BIGTECH_MEDIA_URL: local(ports.media),
    BIGTECH_MEDIA_WORKER_URL: local(ports.mediaWorker),
    BIGTECH_ANALYSIS_URL: local(ports.analysis),
    BIGTECH_MAILBOX_URL: local(ports.mailbox),
    BIGTECH_STACK_URL: local(ports.stack),
    BIGTECH_OPERATOR_TOKEN: operatorToken(instance),
    BIGTECH_INSTANCE: instance.name,
  }
}

/** Returns the browser's path and font; tests that need a browser report a missing one themselves. */
async function browser({ cacheFolder }: Instance): Promise<Record<string, string>> {
  const attempt = async (part: () => Promise<Record<string, string>>) => {
    try {
      return await part()
    } catch (error) {
      notice(messageOf(error))
      return {}
    }
  }
  return {
    ...(await attempt(async () => ({ CHROMIUM_PATH: await findChromium(cacheFolder) }))),
    ...(await attempt(() => koreanFontEnvironment(cacheFolder))),
  }
}

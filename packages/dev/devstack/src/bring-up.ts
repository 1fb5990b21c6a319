import { join } from 'node:path'
import { serviceEnvironment } from './environment.ts'
import { generateAll } from './generated.ts'
import { migrate } from './migrations.ts'
import type { PortName } from './ports.ts'
import { messageOf } from './problems.ts'
import { notice, step } from './progress.ts'
import { run, together } from './run.ts'
import { serviceProcess } from './service-process.ts'
import { GATEWAY_ORDER, presentServices, type ServiceRow, services } from './services.ts'
import { type Stack, startServers } from './stack.ts'

/** Returns the listen ports of this checkout's services. */
export function servicePorts(root: string, without: readonly string[] = []): PortName[] {
  return wanted(root, without).flatMap(({ port, adminPort }) => (adminPort ? [port, adminPort] : [port]))
}

function wanted(root: string, without: readonly string[]): ServiceRow[] {
  return presentServices(root).filter((service) => !without.includes(service.name))
}

/** Starts the servers and generates code in parallel, because they are independent. */
export async function startGround(stack: Stack): Promise<void> {
  await together([startServers(stack), generateAll(stack.instance.root)])
}

/** Migrates, then starts every service of this checkout, then the gateway. */
export async function startServices(stack: Stack, without: readonly string[] = []): Promise<void> {
  await migrate(stack.instance, stack.passwords)
  const present = wanted(stack.instance.root, without)
  const missing = services.filter((service) => !present.includes(service)).map((service) => service.name)
  if (missing.length > 0) notice(`omitted or not in this checkout: ${missing.join(', ')}`)
  const media = present.find(({ name }) => name === 'media-service')
  const behind = present.filter((service) => service.order !== GATEWAY_ORDER)
  await step(`${behind.length} services`, () =>
    together([
      ...behind.map((service) => startService(stack, service)),
      ...(media ? [seedScripts(stack, media)] : []),
    ]),
  )
  for (const service of present) if (!behind.includes(service)) await startService(stack, service)
}

/** Synthesizes the clips of the practice scripts if missing. */
async function seedScripts({ instance, passwords }: Stack, media: ServiceRow): Promise<void> {
  try {
    await step('Practice scripts', () =>
      run(process.execPath, [join(instance.root, media.folder, 'src/seed-scripts.ts')], {
        env: { ...process.env, ...serviceEnvironment(media, instance, passwords) },
      }),
    )
  } catch (error) {
    notice(`voice practice has no scripts: ${messageOf(error)}`)
  }
}

async function startService(stack: Stack, service: ServiceRow): Promise<void> {
  const spec = serviceProcess(service, stack.instance, stack.passwords)
  stack.supervisor.add(spec)
  await step(`${spec.name} on ${spec.port}`, () => stack.supervisor.start(spec.name))
}

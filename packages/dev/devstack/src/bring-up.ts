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

/** The ports that the services of this checkout will listen on. */
export function servicePorts(root: string, without: readonly string[] = []): PortName[] {
  return wanted(root, without).flatMap(({ port, adminPort }) => (adminPort ? [port, adminPort] : [port]))
}

function wanted(root: string, without: readonly string[]): ServiceRow[] {
  return presentServices(root).filter((service) => !without.includes(service.name))
}

/** Servers and generated code at the same time: neither needs the other. */
export async function startGround(stack: Stack): Promise<void> {
  await together([startServers(stack), generateAll(stack.instance.root)])
}

/** Migrates, then starts every service of this checkout, then the gateway in front of them. */
export async function startServices(stack: Stack, without: readonly string[] = []): Promise<void> {
  await migrate(stack.instance, stack.passwords)
  const present = wanted(stack.instance.root, without)
  const missing = services.filter((service) => !present.includes(service)).map((service) => service.name)
  if (missing.length > 0) notice(`left out or not in this checkout: ${missing.join(', ')}`)
  // Tests make their own: speaking the clips takes seconds.
  const media = present.find(({ name }) => name === 'media-service')
  if (media && stack.instance.name !== 'test') await seedScripts(stack, media)
  const behind = present.filter((service) => service.order !== GATEWAY_ORDER)
  await together(behind.map((service) => startService(stack, service)))
  for (const service of present) if (!behind.includes(service)) await startService(stack, service)
}

/** Speaks the clips of the practice scripts, where that has not been done. */
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

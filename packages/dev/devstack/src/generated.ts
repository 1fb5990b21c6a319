import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { withLock } from './lock.ts'
import { step } from './progress.ts'
import { run } from './run.ts'
import { services } from './services.ts'

/** Generated code that is not committed. */
interface Generated {
  name: string
  folder: string
  /** Files and directories whose content determines whether it must be regenerated. */
  inputs: readonly string[]
  /** Must exist afterwards. */
  output: string
  command: readonly [string, ...string[]]
  env?: Record<string, string>
}

/** Returns everything that has to be generated in this checkout. */
function generatedList(root: string): Generated[] {
  const clients = services

    .filter((service) => !service.partOf && existsSync(join(root, service.folder, 'prisma/schema.prisma')))
    .map((service) => prismaClient(root, service.name, service.folder))
  const page = webPage(root)
  return page ? [...clients, page] : clients
}

function prismaClient(root: string, name: string, service: string): Generated {
  const folder = join(root, service)
  return {
    name: `Prisma client of ${name}`,
    folder,
    inputs: ['prisma', 'prisma.config.ts', 'package.json'],
    output: 'src/generated/prisma',
    command: [join(folder, 'node_modules/.bin/prisma'), 'generate'],
    // Prisma would download an engine that neither generation nor the client uses.
    env: {
      PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true',
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    },
  }
}

function webPage(root: string): Generated | undefined {
  const folder = join(root, 'packages/web-client')
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    scripts?: { build?: string }
  }
  const build = manifest.scripts?.build
  if (!build) return undefined
  return {
    name: 'page of the web client',
    folder,
    inputs: [
      'src',
      'api',
      'public',
      'index.html',
      'package.json',
      'vite.config.ts',
      '../client/src',
      '../contracts/src',
    ],
    output: 'dist',
    command: ['sh', '-c', build],
    env: { PATH: [join(folder, 'node_modules/.bin'), process.env.PATH].join(delimiter) },
  }
}

/** Returns a hash of the names and contents of files and directories; missing ones count as empty. */
function hashOfInputs(folder: string, inputs: readonly string[]): string {
  const hash = createHash('sha256')
  const visit = (path: string) => {
    if (!existsSync(path)) return
    if (statSync(path).isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name))
    else hash.update(`\0${path.slice(folder.length)}\0`).update(readFileSync(path))
  }
  for (const input of inputs) visit(join(folder, input))
  return hash.digest('hex')
}

/** Generates missing and outdated code. */
export async function generateAll(root: string): Promise<void> {
  const stamps = join(root, '.devstack', 'stamps')
  mkdirSync(stamps, { recursive: true })
  await withLock(
    join(stamps, '.lock'),
    () => undefined,
    async () => {
      const outdated = generatedList(root)
        .map((item) => ({ item, stamp: join(stamps, `${item.name.replaceAll(' ', '-')}.sha256`) }))
        .filter(({ item, stamp }) => !isCurrent(item, stamp))
      if (outdated.length === 0) return
      await step('Generated code', async () => {
        for (const { item, stamp } of outdated) await generate(item, stamp)
      })
    },
  )
}

function isCurrent({ folder, inputs, output }: Generated, stamp: string): boolean {
  if (!existsSync(join(folder, output)) || !existsSync(stamp)) return false
  return readFileSync(stamp, 'utf8') === hashOfInputs(folder, inputs)
}

async function generate(item: Generated, stamp: string): Promise<void> {
  const hash = hashOfInputs(item.folder, item.inputs)
  const [command, ...args] = item.command
  await step(`Generating the ${item.name}`, () =>
    run(command, args, { cwd: item.folder, env: { ...process.env, ...item.env } }),
  )
  writeFileSync(stamp, hash)
}

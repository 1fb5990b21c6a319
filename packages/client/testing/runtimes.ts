import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createPackedProject } from './packed-project.ts'

// Runs the README's example of the packed SDK in each supported runtime, and fails on any other output.

const run = promisify(execFile)
const cache = join(process.env.DEVSTACK_CACHE ?? join(homedir(), '.cache/bigtech-chat'), 'runtimes')

interface Runtime {
  readonly name: string
  /** The package that provides it. */
  readonly spec: string
  readonly program: string
  readonly args: readonly string[]
}

const nodeProgram = `node_modules/node-${process.platform}-${process.arch}/bin/node`
const runtimes: readonly Runtime[] = [
  ...['20.20.2', '22.23.3', '24.21.0'].map((version) => ({
    name: `Node ${version}`,
    spec: `node-${process.platform}-${process.arch}@${version}`,
    program: nodeProgram,
    args: [],
  })),
  {
    name: 'Deno 2',
    spec: 'deno@2.9.6',
    program: 'node_modules/.bin/deno',
    args: ['run', '--allow-all', '--no-lock'],
  },
  { name: 'Bun 1', spec: 'bun@1.4.5', program: 'node_modules/.bin/bun', args: ['run'] },
]

/** Installs a runtime once and returns its program. */
function install({ spec, program }: Runtime): string {
  const folder = join(cache, spec)
  const file = join(folder, program)
  if (existsSync(file)) return file
  mkdirSync(folder, { recursive: true })
  execFileSync('npm', ['install', '--silent', '--no-audit', '--prefix', folder, spec], { stdio: 'inherit' })
  return file
}

const project = await createPackedProject()
writeFileSync(join(project.folder, 'example.mjs'), project.example)
let failures = 0
for (const runtime of runtimes) {
  const options = { cwd: project.folder, timeout: 30_000 }
  const printed = await run(install(runtime), [...runtime.args, 'example.mjs'], options).then(
    ({ stdout }) => stdout,
    (error: Error) => error.message,
  )
  const isRight = printed === project.printed
  if (!isRight) failures++
  console.log(`${isRight ? 'works' : 'FAILS'}  ${runtime.name}${isRight ? '' : `: ${printed}`}`)
}
project.close()
process.exitCode = failures > 0 ? 1 : 0

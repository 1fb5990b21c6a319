import { execFile } from 'node:child_process'
import { cpSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPackedProject, type PackedProject } from '../testing/packed-project.ts'

const root = join(import.meta.dirname, '..')
const run = promisify(execFile)
let packed: PackedProject
let project: string

beforeAll(async () => {
  packed = await createPackedProject()
  project = packed.folder
}, 120_000)
afterAll(() => packed?.close())

it('the README example runs outside the workspace and prints a message', async () => {
  writeFileSync(join(project, 'example.mjs'), packed.example)
  const { stdout } = await run(process.execPath, ['example.mjs'], { cwd: project, timeout: 20_000 })
  expect(stdout).toBe(packed.printed)
}, 30_000)

it('npx starts the terminal client by the name of the installed command', async () => {
  // Links the commands of the installed packages, as an installation does.
  await run('npm', ['rebuild', '--silent', '--ignore-scripts'], { cwd: project })
  const { stdout } = await run('npx', ['--no', '--', 'bigtech-chat', '--help'], { cwd: project })
  expect(stdout).toContain('EMAIL')
}, 30_000)

it("README and examples compile with the package's types, and a wrong call or error code does not", async () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  cpSync(
    realpathSync(join(root, '../../node_modules/@types/node')),
    join(project, 'node_modules/@types/node'),
    {
      recursive: true,
    },
  )
  cpSync(
    realpathSync(join(realpathSync(join(root, '../../node_modules/@types/node')), '../../undici-types')),
    join(project, 'node_modules/undici-types'),
    { recursive: true },
  )
  for (const name of ['bot.ts', 'terminal.ts']) cpSync(join(root, 'examples', name), join(project, name))
  writeFileSync(join(project, 'example.ts'), packed.example)
  writeFileSync(
    join(project, 'wrong.ts'),
    `import { createChatClient, isProblem } from '@bigtech/client'
const { api } = createChatClient({ baseUrl: '' })
await api.sendMessage({ params: { room_id: 'seven' }, body: { content: 1 } })
export const title: number = (await api.getRoom({ params: { room_id: 7 } })).title
export const isGone = (err: unknown) => isProblem(err, 'ROOM_NOT_FOUND') || isProblem(err, 'ROOM_LOST')
`,
  )
  const options =
    '--noEmit --strict --target es2022 --module nodenext --skipLibCheck false --types node'.split(' ')
  const files = ['example.ts', 'bot.ts', 'terminal.ts', 'wrong.ts']
  const compiled = run(process.execPath, [tsc, ...options, ...files], { cwd: project })
  const { stdout } = await compiled.catch((err: { stdout: string }) => err)
  const errors = stdout.match(/^.*error TS.*$/gm)
  expect(errors?.map((line) => line.replace(/:.*/, ''))).toEqual([
    'wrong.ts(3,35)',
    'wrong.ts(3,63)',
    'wrong.ts(4,14)',
    'wrong.ts(5,92)',
  ])
}, 120_000)

it('the bundle has at most 15 KiB, minified and compressed, with all methods and the stream, and less with one operation', async () => {
  const sizeOf = async (code: string) => {
    const entry = join(project, `entry-${crypto.randomUUID()}.js`)
    writeFileSync(entry, code)
    const result = await build({
      root: project,
      configFile: false,
      logLevel: 'silent',
      build: {
        write: false,
        minify: true,
        target: 'es2022',
        rolldownOptions: { input: entry, preserveEntrySignatures: 'strict' },
      },
    })
    const { output } = (Array.isArray(result) ? result[0]! : result) as Extract<
      typeof result,
      { output: unknown }
    >
    return output.reduce((sum, file) => sum + (file.type === 'chunk' ? gzipSync(file.code).length : 0), 0)
  }
  const whole = await sizeOf("export { createChatClient } from '@bigtech/client'")
  const one = await sizeOf("export { Http, Session, sendMessage } from '@bigtech/client'")
  console.log(`all methods and the stream: ${whole} bytes; one operation: ${one}`)
  expect(whole).toBeGreaterThan(2_000)
  expect(whole).toBeLessThanOrEqual(15 * 1024)
  expect(one).toBeLessThan(whole / 2)
}, 60_000)

import { execFile, execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { messageExample, roomExample } from '@bigtech/contracts'
import { build } from 'vite'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const run = promisify(execFile)
/** A project outside of the workspace that has the packed package installed. */
let project: string
let server: Server
let address: string

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'client-package-'))
  const built = join(project, 'built')
  execFileSync(process.execPath, [join(root, 'build.ts'), built])
  execFileSync('npm', ['pack', '--silent', '--pack-destination', project], { cwd: built })
  const [tarball] = readdirSync(project).filter((name) => name.endsWith('.tgz'))
  const installed = join(project, 'node_modules/@bigtech/client')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', join(project, tarball!), '-C', installed, '--strip-components=1'])
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  // What npm would fetch, from where this workspace has it.
  for (const name of Object.keys(dependencies)) {
    cpSync(realpathSync(join(root, 'node_modules', name)), join(project, 'node_modules', name), {
      recursive: true,
    })
  }
  writeFileSync(join(project, 'package.json'), '{"type":"module"}')
  server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}, 120_000)
afterAll(() => {
  server?.closeAllConnections()
  server?.close()
  if (project) rmSync(project, { recursive: true })
})

/** As much of the API as the example calls. */
const answer: Parameters<typeof createServer>[1] & object = (request, response) => {
  const json = (body: unknown, status = 200) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  const url = request.url!
  if (url === '/auth/login/json') {
    json({ access_token: 'a', refresh_token: 'r', token_type: 'bearer', expires_in: 600, user_id: 100 })
  } else if (url.startsWith('/rooms')) json({ items: [roomExample], next_cursor: null })
  else if (url.startsWith('/messages')) json(messageExample, 201)
  else if (url.startsWith('/stream')) {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const rooms = [{ room_id: 7, seq: 41, cseq: 3 }]
    const frames = [
      ['reset', { stream_id: 's', reason: 'new', rooms }],
      ['message', { room_id: 7, seq: 42, message: messageExample }],
    ] as const
    for (const [name, data] of frames) response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
  } else json({ title: 'x', status: 404, code: 'ROUTE_NOT_FOUND', request_id: 'r' }, 404)
}

/** The example of the README, against the server of this test. */
function example(): string {
  const [, code] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))!
  return code!.replace('http://localhost:8000/api', address)
}

it('runs the example of its README outside of the workspace, and prints a message', async () => {
  writeFileSync(join(project, 'example.mjs'), example())
  const { stdout } = await run(process.execPath, ['example.mjs'], { cwd: project, timeout: 20_000 })
  expect(stdout).toBe(`${messageExample.username}: ${messageExample.content}\n`)
}, 30_000)

it('brings a chat for the terminal, whose --help says what it takes', async () => {
  const command = join(project, 'node_modules/@bigtech/client/terminal.js')
  const { stdout } = await run(process.execPath, [command, '--help'], { cwd: project })
  expect(stdout).toContain('EMAIL')
})

it('brings types with which its README and examples compile, and a wrong call does not', async () => {
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
  writeFileSync(join(project, 'example.ts'), example())
  writeFileSync(
    join(project, 'wrong.ts'),
    `import { createChatClient } from '@bigtech/client'
const { api } = createChatClient({ baseUrl: '' })
await api.sendMessage({ params: { room_id: 'seven' }, body: { content: 1 } })
export const title: number = (await api.getRoom({ params: { room_id: 7 } })).title
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
  ])
}, 120_000)

it('is at most 15 KiB, minified and compressed, for all methods and the stream, and less for one operation', async () => {
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

import { execFileSync } from 'node:child_process'
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
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageExample, roomExample } from '@bigtech/contracts'

const root = join(import.meta.dirname, '..')

/** A project outside the workspace with the packed SDK, and a server for its README's example. */
export interface PackedProject {
  readonly folder: string
  /** The README's example, run against the server. */
  readonly example: string
  /** The expected output of the example. */
  readonly printed: string
  close(): void
}

/** Builds, packs and unpacks the SDK like an installation. */
export async function createPackedProject(): Promise<PackedProject> {
  const folder = mkdtempSync(join(tmpdir(), 'client-package-'))
  const built = join(folder, 'built')
  execFileSync(process.execPath, [join(root, 'build.ts'), built])
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: built })
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  const installed = join(folder, 'node_modules/@bigtech/client')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', join(folder, tarball!), '-C', installed, '--strip-components=1'])
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  // Links the dependencies from this workspace instead of fetching them.
  for (const name of Object.keys(dependencies)) {
    cpSync(realpathSync(join(root, 'node_modules', name)), join(folder, 'node_modules', name), {
      recursive: true,
    })
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
  }
  const printed = `${messageExample.username}: ${messageExample.content}\n`
  return { folder, example: exampleOfReadme(`http://127.0.0.1:${port}`), printed, close }
}

/** The part of the API used by the example. */
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

function exampleOfReadme(address: string): string {
  const [, code] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))!
  return code!.replace('http://localhost:8000/api', address)
}

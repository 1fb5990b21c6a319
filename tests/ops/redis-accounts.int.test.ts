import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { cacheRoot, redisProgram } from '@bigtech/devstack'
import { makeCertificate, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from './files.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'bigtech-redis-'))
const file = (name: string) => join(folder, name)
let server: ChildProcess
let port: number

/** Writes replacements for the image's entrypoint programs. */
function writeEntrypoint(): void {
  for (const [name, line] of [
    ['docker-entrypoint.sh', 'exec "$@"'],
    ['chown', 'exit 0'],
  ] as const) {
    writeFileSync(file(name), `#!/bin/sh\n${line}\n`)
    chmodSync(file(name), 0o755)
  }
}

beforeAll(async () => {
  writeEntrypoint()
  makeCertificate(folder)
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  port = (probe.address() as { port: number }).port
  probe.close()
  const { command, env } = await redisProgram(cacheRoot())
  const tls = ['--tls-port', String(port), '--port', '0', '--tls-auth-clients', 'no']
  const files = ['--tls-cert-file', file('cert.pem'), '--tls-key-file', file('key.pem'), '--dir', folder]
  server = spawn('sh', [join(root, 'infrastructure/docker/redis/start.sh'), ...tls, ...files], {
    stdio: 'ignore',
    env: {
      ...env,
      PATH: `${folder}:${dirname(command)}:${process.env.PATH}`,
      TMPDIR: folder,
      REDIS_PASSWORD: 'of-default',
      REDIS_USER_PASSWORD: 'of-user',
      REDIS_CHAT_PASSWORD: 'of-chat',
    },
  })
  await waitFor(async () => (await redis('user_service:of-user', 'PING')) === 'PONG', { timeoutMs: 30_000 })
}, 120_000)
afterAll(async () => {
  if (server?.exitCode === null) {
    server.kill('SIGKILL')
    await once(server, 'exit')
  }
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a command on a separate connection; `ca` is false for a client without the authority. */
async function redis(account: string, command: string, ...args: string[]): Promise<string> {
  return client(`rediss://${account}@localhost:${port}/0`, file('cert.pem'), command, ...args)
}

async function client(url: string, ca: string | undefined, ...command: string[]): Promise<string> {
  const script = join(import.meta.dirname, 'redis-client.ts')
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: ca }
  const { stdout } = await run(process.execPath, [script, url, ...command], { env })
  return stdout.trim()
}

describe('Redis as start.sh starts it, with TLS', { timeout: 30_000 }, () => {
  it('Redis allows each service only its own keys and channels', async () => {
    expect(await redis('user_service:of-user', 'SET', 'user:online:7', '1', 'EX', '60')).toBe('OK')
    expect(await redis('chat_service:of-chat', 'SET', 'chat:limit:7', '1')).toBe('OK')
    expect(await redis('user_service:of-user', 'GET', 'chat:limit:7')).toMatch(/^ERROR .*NOPERM/)
    expect(await redis('chat_service:of-chat', 'SET', 'user:online:7', '1')).toMatch(/^ERROR .*NOPERM/)
    expect(await redis('chat_service:of-chat', 'PUBLISH', 'user:x', '1')).toMatch(/^ERROR .*NOPERM/)
    expect(await redis('chat_service:of-chat', 'FLUSHALL')).toMatch(/^ERROR .*NOPERM/)
  })

  it('Redis rejects a wrong password, no account, an unknown authority, and a connection without TLS', async () => {
    expect(await redis('user_service:of-chat', 'PING')).toMatch(/^ERROR .*(WRONGPASS|closed)/)
    expect(await client(`rediss://localhost:${port}/0`, file('cert.pem'), 'PING')).toMatch(/^ERROR .*NOAUTH/)
    const address = `user_service:of-user@localhost:${port}/0`
    expect(await client(`rediss://${address}`, undefined, 'PING')).toMatch(
      /^ERROR .*(self.signed|certificate)/,
    )
    expect(await client(`redis://${address}`, undefined, 'PING')).toMatch(/^ERROR/)
  })
})

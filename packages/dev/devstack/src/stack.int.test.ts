import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConnection } from 'mariadb'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { isPortFree, portsOf } from './ports.ts'

const NAME = 'selftest'
const cli = join(import.meta.dirname, 'cli.ts')
let data: string
let env: NodeJS.ProcessEnv
let child: ChildProcess
let output = ''

function start(): void {
  output = ''
  child = spawn(process.execPath, [cli, 'servers', '--no-docker', '--instance', NAME], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk
    })
  }
}

function untilReady(): Promise<void> {
  return vi.waitFor(() => {
    if (child.exitCode !== null) throw new Error(`ended: ${output}`)
    expect(output).toContain('Servers are ready')
  }, 110_000)
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

/** Returns every process on this machine whose command line contains the instance's directory. */
function processesOfInstance(): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
    .filter((command) => command.includes(data))
}

function account(name: string) {
  const passwords = JSON.parse(readFileSync(join(data, NAME, 'keys', 'passwords.json'), 'utf8'))
  const { mysql } = portsOf(NAME, env)
  return createConnection({
    host: '127.0.0.1',
    port: mysql,
    user: name,
    password: passwords[name],
    database: 'bigtech_user',
  })
}

beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), 'devstack-'))
  chmodSync(data, 0o755)
  env = { ...process.env, DEVSTACK_DATA: data, DEVSTACK_SELFTEST_PORT_OFFSET: '7000' }
})

afterAll(async () => {
  if (child.exitCode === null) await stop('SIGINT')
  rmSync(data, { recursive: true, force: true })
})

describe.skipIf(process.platform !== 'linux')('an instance', () => {
  it('an instance starts from scratch with at most 15 lines, and a service account cannot change tables', {
    timeout: 120_000,
  }, async () => {
    start()
    await untilReady()
    const owner = await account('user_service_owner')
    await owner.query('CREATE TABLE probe (id INT PRIMARY KEY)')
    await owner.end()
    const service = await account('user_service')
    await service.query('INSERT INTO probe VALUES (1)')
    await expect(service.query('DROP TABLE probe')).rejects.toThrow(/denied/)
    await expect(service.query('SELECT 1 FROM bigtech_chat.probe')).rejects.toThrow(/denied/)
    await service.end()
    expect(output.trim().split('\n').length, output).toBeLessThanOrEqual(15)
  })

  it('an instance rejects a second start of itself with a message', { timeout: 30_000 }, async () => {
    const second = spawn(process.execPath, [cli, 'servers', '--no-docker', '--instance', NAME], { env })
    let text = ''
    second.stderr.on('data', (chunk) => {
      text += chunk
    })
    const [code] = await once(second, 'exit')
    expect(code).toBe(1)
    expect(text).toContain('is already running')
  })

  it('an instance cleans up after a killed run at the next start and keeps the data', {
    timeout: 120_000,
  }, async () => {
    await stop('SIGKILL')
    expect(processesOfInstance().length).toBeGreaterThan(0)
    start()
    await untilReady()
    expect(output).toContain('stopped leftovers of an earlier run')
    const service = await account('user_service')
    expect(await service.query('SELECT id FROM probe')).toEqual([{ id: 1 }])
    await service.end()
  })

  it('an instance leaves no process, port or pid file behind', { timeout: 60_000 }, async () => {
    await stop('SIGINT')
    expect(child.exitCode).toBe(0)
    expect(processesOfInstance()).toEqual([])
    expect(readdirSync(join(data, NAME, 'pids'))).toEqual([])
    for (const port of Object.values(portsOf(NAME, env))) expect(await isPortFree(port)).toBe(true)
  })
})

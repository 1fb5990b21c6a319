import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { identify } from './pids.ts'
import type { ProcessSpec } from './process.ts'
import { Supervisor } from './supervisor.ts'

let folder: string
let said: string[]
let supervisor: Supervisor

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'supervisor-'))
  said = []
  supervisor = new Supervisor({ logs: join(folder, 'logs'), pids: join(folder, 'pids') }, (line) =>
    said.push(line),
  )
})

afterEach(async () => {
  await supervisor.close()
  rmSync(folder, { recursive: true, force: true })
})

function spec(name: string, script: string, more: Partial<ProcessSpec> = {}): ProcessSpec {
  return {
    name,
    command: 'sh',
    args: ['-c', script],
    cwd: folder,
    env: process.env,
    isReady: async () => said.some((line) => line.startsWith(name) && line.endsWith('up')),
    readyWithinMs: 5000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 5000,
    order: 1,
    isShown: true,
    ...more,
  }
}

const stays = 'echo up; exec sleep 60'

function pidOf(name: string): number {
  return supervisor.list().find((info) => info.name === name)?.pid ?? 0
}

describe('Supervisor', () => {
  it('the supervisor restarts a crashed process under another number and reports it', async () => {
    supervisor.add(spec('one', stays))
    await supervisor.start('one')
    const first = pidOf('one')
    process.kill(first, 'SIGKILL')
    await vi.waitFor(() => expect(supervisor.list()[0]).toMatchObject({ state: 'ready', restarts: 1 }), 5000)
    expect(pidOf('one')).not.toBe(first)
    expect(said.join('\n')).toContain('one died (SIGKILL); restarting it in 0.5 s')
  })

  it('the supervisor does not restart a process that was stopped or killed on purpose', async () => {
    supervisor.add(spec('one', stays))
    await supervisor.start('one')
    await supervisor.kill('one')
    expect(supervisor.list()[0]).toMatchObject({ state: 'stopped', pid: null, restarts: 0 })
    await supervisor.start('one')
    await supervisor.stop('one')
    expect(supervisor.list()[0]).toMatchObject({ state: 'stopped', restarts: 0 })
  })

  it('the supervisor does not retry a process that fails to start, and shows its output', async () => {
    supervisor.add(spec('bad', 'echo the reason >&2; exit 3', { isShown: false }))
    await expect(supervisor.start('bad')).rejects.toThrow('the reason')
    expect(supervisor.list()[0]?.restarts).toBe(0)
  })

  it('the supervisor kills a process that does not stop in time', async () => {
    supervisor.add(spec('deaf', "trap '' TERM; echo up; while :; do sleep 0.1; done", { stopWithinMs: 300 }))
    await supervisor.start('deaf')
    const pid = pidOf('deaf')
    await supervisor.stop('deaf')
    expect(identify(pid)).toBeUndefined()
    expect(said.join('\n')).toContain('deaf did not stop')
  })

  it('the supervisor stops higher orders first and leaves no record behind', async () => {
    const script = (name: string) =>
      `trap 'echo ${name} stops; exit 0' TERM; echo up; while :; do sleep 0.05; done`
    supervisor.add(spec('server', script('server'), { order: 1 }))
    supervisor.add(spec('gateway', script('gateway'), { order: 3 }))
    supervisor.add(spec('service', script('service'), { order: 2 }))
    for (const name of ['server', 'service', 'gateway']) await supervisor.start(name)
    await supervisor.close()
    const stops = said.filter((line) => line.endsWith('stops')).map((line) => line.split(' ')[0])
    expect(stops).toEqual(['gateway', 'service', 'server'])
    expect(readdirSync(join(folder, 'pids'))).toEqual([])
  })
})

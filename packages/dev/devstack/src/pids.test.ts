import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endLeftovers, identify, isSameProcess, readPids, startTimeOf, writePid } from './pids.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pids-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function sleeper() {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
  return { child, ended: once(child, 'exit'), pid: child.pid as number }
}

function recordOf(pid: number, startedAt?: string) {
  const identity = identify(pid)
  if (!identity) throw new Error('not running')
  return {
    ...identity,
    ...(startedAt ? { startedAt } : {}),
    name: 'sleeper',
    stopSignal: 'SIGTERM' as const,
    order: 1,
  }
}

describe('process identity', () => {
  it('the process table parses the start time after a process name with spaces and brackets', () => {
    const fields = Array.from({ length: 30 }, (_, index) => String(index + 3))
    expect(startTimeOf(`42 (a ) b) S ${fields.slice(1).join(' ')}`)).toBe('22')
  })

  it('the process table does not count a zombie as running', () => {
    const fields = Array.from({ length: 30 }, () => '1').join(' ')
    expect(startTimeOf(`42 (x) S ${fields}`)).toBe('1')
    expect(startTimeOf(`42 (x) Z ${fields}`)).toBeUndefined()
  })

  it('the process table distinguishes another process with the same number', () => {
    const now = { pid: 42, startedAt: '100', command: 'node' }
    expect(isSameProcess({ pid: 42, startedAt: '100', command: 'node' }, now)).toBe(true)
    expect(isSameProcess({ pid: 42, startedAt: '99', command: 'node' }, now)).toBe(false)
    expect(isSameProcess({ pid: 42, startedAt: '100', command: 'node' }, undefined)).toBe(false)
  })
})

describe('what a killed run left behind', () => {
  it('a process left by a killed run is stopped by the next start', async () => {
    const { pid, ended } = sleeper()
    writePid(folder, recordOf(pid))
    expect(await endLeftovers(folder)).toEqual(['sleeper'])
    await ended
    expect(readPids(folder)).toEqual([])
  })

  it('a recorded pid that now belongs to another process is left alone', async () => {
    const { child, pid, ended } = sleeper()
    writePid(folder, recordOf(pid, '1'))
    expect(await endLeftovers(folder)).toEqual([])
    expect(identify(pid)).toBeDefined()
    child.kill()
    await ended
  })

  it('a corrupt record of a killed run does not prevent a start', async () => {
    writeFileSync(join(folder, 'broken.json'), '{')
    expect(await endLeftovers(folder)).toEqual([])
    expect(readdirSync(folder)).toEqual([])
  })
})

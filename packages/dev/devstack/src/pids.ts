import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Identity of a process: the kernel reuses numbers, but not with the same start time. */
export interface ProcessIdentity {
  pid: number
  startedAt: string
  command: string
}

export interface PidRecord extends ProcessIdentity {
  name: string
  stopSignal: NodeJS.Signals
  /** Higher orders are stopped first: gateway, services, servers. */
  order: number
  port?: number | undefined
}

/**
 * Returns the start time (clock ticks since boot, field 22) of /proc/<pid>/stat; the bracketed name may
 * contain spaces.
 */
export function startTimeOf(stat: string): string | undefined {
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return afterName[0] === 'Z' ? undefined : afterName[19]
}

/** Identifies a running process; undefined when there is none, or only a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    if (process.platform !== 'linux') return identifyByPs(pid)
    const startedAt = startTimeOf(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return startedAt ? { pid, startedAt, command } : undefined
  } catch {
    return undefined
  }
}

function identifyByPs(pid: number): ProcessIdentity | undefined {
  const line = execFileSync('ps', ['-o', 'lstart=,command=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  return line ? { pid, startedAt: line.slice(0, 24), command: line.slice(24).trim() } : undefined
}

/** Returns true when the recorded process still runs and its number was not reused. */
export function isSameProcess(record: ProcessIdentity, now: ProcessIdentity | undefined): boolean {
  return now !== undefined && now.pid === record.pid && now.startedAt === record.startedAt
}

export function writePid(folder: string, record: PidRecord): void {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${encodeURIComponent(record.name)}.json`)
  writeFileSync(`${file}.part`, JSON.stringify(record))
  renameSync(`${file}.part`, file)
}

export function removePid(folder: string, name: string): void {
  rmSync(join(folder, `${encodeURIComponent(name)}.json`), { force: true })
}

/** Returns every recorded process and whether it still runs. */
export function readPids(folder: string): Array<{ record: PidRecord; running: boolean }> {
  if (!existsSync(folder)) return []
  const found: Array<{ record: PidRecord; running: boolean }> = []
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    try {
      const record = JSON.parse(readFileSync(join(folder, file), 'utf8')) as PidRecord
      found.push({ record, running: isSameProcess(record, identify(record.pid)) })
    } catch {
      rmSync(join(folder, file), { force: true })
    }
  }
  return found
}

/** Waits until a process has exited; false on timeout. */
async function waitGone(record: ProcessIdentity, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs
  while (isSameProcess(record, identify(record.pid))) {
    if (Date.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return true
}

export function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Already exited.
  }
}

/** Stops the processes left by a killed run of this instance in stopping order; returns their names. */
export async function endLeftovers(folder: string, graceMs = 15_000): Promise<string[]> {
  const entries = readPids(folder).sort((a, b) => b.record.order - a.record.order)
  const ended: string[] = []
  for (const order of new Set(entries.map((entry) => entry.record.order))) {
    const group = entries.filter((entry) => entry.record.order === order)
    await Promise.all(group.map((entry) => endOne(folder, entry, graceMs)))
    ended.push(...group.filter((entry) => entry.running).map((entry) => entry.record.name))
  }
  return ended
}

async function endOne(
  folder: string,
  entry: { record: PidRecord; running: boolean },
  graceMs: number,
): Promise<void> {
  const { record, running } = entry
  if (running) {
    signalQuietly(record.pid, 'SIGCONT')
    signalQuietly(record.pid, record.stopSignal)
    if (!(await waitGone(record, graceMs))) signalQuietly(-record.pid, 'SIGKILL')
    await waitGone(record, 5000)
  }
  removePid(folder, record.name)
}

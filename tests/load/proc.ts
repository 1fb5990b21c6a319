import { readdirSync, readFileSync } from 'node:fs'

/** Fixed by Linux for /proc, independent of the kernel's timer. */
const TICKS_PER_SECOND = 100

export interface ProcessUsage {
  readonly pid: number
  readonly parent: number
  readonly command: string
  readonly cpuSeconds: number
  readonly residentKb: number
  /** Memory without files that processes share. */
  readonly privateKb: number
}

/** Returns what a process has used so far; undefined when it has ended. */
export function usageOfProcess(pid: number): ProcessUsage | undefined {
  try {
    const [command, stat, status] = ['cmdline', 'stat', 'status'].map((file) =>
      readFileSync(`/proc/${pid}/${file}`, 'utf8'),
    ) as [string, string, string]
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
    return {
      pid,
      parent: Number(fields[1]),
      command: command.replaceAll('\0', ' '),
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      residentKb: kilobytes('VmRSS'),
      privateKb: kilobytes('RssAnon'),
    }
  } catch {
    return undefined
  }
}

/** Returns every process of this machine. */
export function allProcesses(): ProcessUsage[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => usageOfProcess(Number(pid)) ?? [])
}

/** Returns the sum of a process and its children: some servers fork workers. */
export function usageOfTree(pid: number): { cpuSeconds: number; residentKb: number } {
  const family = allProcesses().filter((each) => each.pid === pid || each.parent === pid)
  return {
    cpuSeconds: family.reduce((sum, each) => sum + each.cpuSeconds, 0),
    residentKb: family.reduce((sum, each) => sum + each.residentKb, 0),
  }
}

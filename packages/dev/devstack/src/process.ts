import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { lineSplitter, openLog } from './logs.ts'
import { type Account, findProgram } from './paths.ts'
import { identify, removePid, signalQuietly, writePid } from './pids.ts'

/** The description of a process, as plain data. */
export interface ProcessSpec {
  name: string
  command: string
  args: readonly string[]
  cwd: string
  env: NodeJS.ProcessEnv
  account?: Account | undefined
  /** The address shown to users and passed to tests. */
  url?: string | undefined
  port?: number | undefined
  /** Resolves to whether the process is ready; polled until true. */
  isReady: (pid: number) => Promise<boolean>
  /** A page with the reason why it is not ready. */
  readyUrl?: string | undefined
  readyWithinMs: number
  stopSignal: NodeJS.Signals
  stopWithinMs: number
  /** Higher orders are stopped first. */
  order: number
  /** True: output is shown. False: it goes to the log file only. */
  isShown: boolean
  /** Delivers a signal to a process that is not our child, for example a container. */
  signal?: ((signal: NodeJS.Signals) => Promise<void>) | undefined
  /** Runs after a clean stop (the Kafka class archive). */
  afterStop?: (() => Promise<void>) | undefined
}

interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface RunningProcess {
  pid: number
  exited: Promise<Exit>
  /** Returns the last lines of output, for error messages. */
  tail: () => string[]
}

export interface ProcessFolders {
  logs: string
  pids: string
}

const TAIL_LINES = 25

/**
 * Starts a process in its own session, so that Ctrl-C in the terminal reaches only us and processes are
 * stopped in order. Records its identity, so that the next start finds it if we are killed.
 */
export function launch(
  spec: ProcessSpec,
  folders: ProcessFolders,
  onLine: (line: string) => void,
): RunningProcess {
  const log = openLog(folders.logs, spec.name)
  const program = spec.command.includes('/')
    ? spec.command
    : (findProgram(spec.command, spec.env) ?? spec.command)
  const child = spawn(program, spec.args, {
    cwd: spec.cwd,
    env: spec.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(spec.account ? { uid: spec.account.uid, gid: spec.account.gid } : {}),
  })
  const lines: string[] = []
  const take = (line: string) => {
    log.stream.write(`${line}\n`)
    lines.push(line)
    if (lines.length > TAIL_LINES) lines.shift()
    onLine(line)
  }
  child.stdout?.on('data', lineSplitter(take))
  child.stderr?.on('data', lineSplitter(take))
  if (child.pid) record(spec, folders, child.pid)
  return { pid: child.pid ?? 0, exited: exitOf(child, spec, folders, log.stream), tail: () => [...lines] }
}

function record(spec: ProcessSpec, folders: ProcessFolders, pid: number): void {
  const identity = identify(pid)
  const { name, stopSignal, order, port } = spec
  if (identity) writePid(folders.pids, { ...identity, name, stopSignal, order, port })
}

async function exitOf(
  child: ChildProcess,
  spec: ProcessSpec,
  folders: ProcessFolders,
  log: { end: () => unknown },
): Promise<Exit> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return { code, signal }
  } catch {
    return { code: 127, signal: null }
  } finally {
    removePid(folders.pids, spec.name)
    setTimeout(() => log.end(), 200).unref()
  }
}

/** Stops a process, by force after its timeout. Returns whether force was needed. */
export async function stopProcess(spec: ProcessSpec, running: RunningProcess): Promise<boolean> {
  signalQuietly(running.pid, 'SIGCONT')
  signalQuietly(running.pid, spec.stopSignal)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), spec.stopWithinMs)
  })
  const forced = (await Promise.race([running.exited, late])) === 'late'
  clearTimeout(timer)
  if (forced) signalQuietly(-running.pid, 'SIGKILL')
  await running.exited
  if (!forced) await spec.afterStop?.()
  return forced
}

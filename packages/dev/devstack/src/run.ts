import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import { lineSplitter } from './logs.ts'
import type { Account } from './paths.ts'
import { identify, removePid, writePid } from './pids.ts'
import { CommandError } from './problems.ts'

export interface RunOptions {
  cwd?: string | undefined
  env?: NodeJS.ProcessEnv | undefined
  input?: string | undefined
  account?: Account | undefined
  onLine?: ((line: string) => void) | undefined
  /** Number of output lines in the error of a failed program. */
  tailLines?: number
}

const KEEP_CHARACTERS = 200_000

/** A program ended by us: a consequence of a failure, never its cause. */
class Aborted extends CommandError {}

/** Runs a program and returns its output; a failure contains the end of that output. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      ...(options.account ? { uid: options.account.uid, gid: options.account.gid } : {}),
    })
    let output = ''
    let errors = ''
    const onLine = options.onLine ? lineSplitter(options.onLine) : undefined
    child.stdout.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-KEEP_CHARACTERS)
      onLine?.(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-KEEP_CHARACTERS)
      onLine?.(chunk)
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
    let isAborted = false
    const stop = () => {
      isAborted = true
      return child.pid && process.kill(-child.pid, 'SIGTERM')
    }
    running.add(stop)
    const forget = recordHelper(command, child.pid, helperFolder)
    child.on('error', (error) => {
      running.delete(stop)
      reject(new CommandError(`${command} cannot be run: ${error.message}`))
    })
    child.on('close', (code, signal) => {
      running.delete(stop)
      forget()
      if (code === 0) return resolve(output)
      if (isAborted) return reject(new Aborted(`${command} was ended because something else failed`))
      const tail = lastLines(`${output}\n${errors}`, options.tailLines ?? 15)
      reject(
        new CommandError(
          `${command} ${args.slice(0, 3).join(' ')} failed (${signal ?? `exit ${code}`})\n${tail}`,
        ),
      )
    })
  })
}

function lastLines(text: string, count: number): string {
  return text
    .split('\n')
    .filter((line) => line.trim())
    .slice(-count)
    .join('\n')
}

export interface VisibleOptions {
  cwd: string
  env: NodeJS.ProcessEnv
  /** The directory of its record, so that the next start finds it if we are killed. */
  pidFolder: string
}

/** Runs a program that writes to our terminal; returns its exit code. */
export async function runVisible(
  command: string,
  args: readonly string[],
  options: VisibleOptions,
): Promise<number> {
  const { cwd, env, pidFolder } = options
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'], detached: true })
  const forget = recordHelper(command, child.pid, pidFolder)
  const stop = () => child.pid && process.kill(-child.pid, 'SIGTERM')
  running.add(stop)
  try {
    const [code] = (await once(child, 'exit')) as [number | null]
    return code ?? 1
  } finally {
    running.delete(stop)
    forget()
  }
}

let helperFolder: string | undefined

/** Records helpers started from now on, so that the next start ends them if we are killed. */
export function recordHelpersIn(folder: string): void {
  helperFolder = folder
}

/** Helpers are ended first: a leftover download must not write beside its successor. */
const HELPER_ORDER = 50

/** Records a running helper; returns a function that removes the record. */
function recordHelper(command: string, pid: number | undefined, folder: string | undefined): () => void {
  const identity = pid && folder ? identify(pid) : undefined
  if (!identity || !folder) return () => undefined
  const name = `${basename(command)}-${identity.pid}`
  writePid(folder, { ...identity, name, stopSignal: 'SIGTERM', order: HELPER_ORDER })
  return () => removePid(folder, name)
}

const running = new Set<() => unknown>()

/** Ends every program that `run` is waiting for, when the command is stopped. */
export function abortRunning(): void {
  for (const stop of running) {
    try {
      stop()
    } catch {
      // Already exited.
    }
  }
}

/**
 * Runs work in parallel and waits for all of it, so that nothing is started behind the clean-up. The first
 * failure ends the other programs and is the one that is thrown, not a consequential failure, which may be
 * reported earlier.
 */
export async function together(work: ReadonlyArray<Promise<void>>): Promise<void> {
  let first: { error: unknown } | undefined
  const watched = work.map((one) =>
    one.catch((error: unknown) => {
      if (!first || (first.error instanceof Aborted && !(error instanceof Aborted))) first = { error }
      abortRunning()
    }),
  )
  await Promise.all(watched)
  if (first) throw first.error
}

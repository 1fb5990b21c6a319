import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { JobFailure } from '../modules/jobs/job.ts'
import type { Task, Tasks } from './tasks.ts'

/** Resource limits of a child process, which protect the worker from hostile files. */
export interface Limits {
  readonly wallMs: number
  readonly cpuSeconds: number
  readonly rssMegabytes: number
  readonly heapMegabytes: number
}

const WATCH_MS = 50
const MAX_OUTPUT_BYTES = 8 * 2 ** 20
const CLOCK_TICKS_PER_SECOND = 100
const PAGE_BYTES = 4_096
const child = fileURLToPath(new URL('./child.ts', import.meta.url))

/**
 * Runs one task on a file in a separate process with an empty environment and write access to `folder` only,
 * and kills it when it exceeds a limit. A thread would share the worker's memory.
 * @throws JobFailure CHECK_FAILED when the child crashed or exceeded a limit; the reason is in `detail`
 */
export async function runIsolated<Name extends keyof Tasks>(
  task: Task<Name>,
  limits: Limits,
  signal: AbortSignal,
): Promise<Tasks[Name]['result']> {
  const nodeArgs = [
    `--max-old-space-size=${limits.heapMegabytes}`,
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning',
    '--permission',
    '--allow-fs-read=*',
    `--allow-fs-write=${task.folder}/*`,
    '--allow-addons',
    // Text recognition runs in a thread of the child.
    '--allow-worker',
  ]
  const output = await runLimited(
    process.execPath,
    [...nodeArgs, child, JSON.stringify(task)],
    limits,
    signal,
  )
  return JSON.parse(output.toString('utf8')) as Tasks[Name]['result']
}

/** Runs a program within limits. Returns its stdout. @throws JobFailure CHECK_FAILED */
export function runLimited(
  program: string,
  args: readonly string[],
  limits: Limits,
  signal: AbortSignal,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const process = spawn(program, args, { env: {}, stdio: ['ignore', 'pipe', 'pipe'] })
    const chunks: Buffer[] = []
    let bytes = 0
    let complaint = ''
    let reason: string | undefined
    const kill = (why: string) => {
      reason ??= why
      process.kill('SIGKILL')
    }
    const wall = setTimeout(() => kill(`took longer than ${limits.wallMs / 1_000} s`), limits.wallMs)
    const watch = setInterval(() => {
      const exceeded = exceededLimit(process, limits)
      if (exceeded) kill(exceeded)
    }, WATCH_MS)
    const abort = () => kill('was cancelled')
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    process.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MAX_OUTPUT_BYTES) kill('produced too much')
      else chunks.push(chunk)
    })
    process.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < 4_000) complaint += chunk.toString('utf8')
    })
    process.on('error', (err) => reject(failure('could not be started', err.message)))
    process.on('close', (code, killedBy) => {
      clearTimeout(wall)
      clearInterval(watch)
      signal.removeEventListener('abort', abort)
      if (code === 0 && reason === undefined) resolve(Buffer.concat(chunks))
      else reject(failure(reason ?? `ended with ${code ?? killedBy}`, complaint))
    })
  })
}

function failure(reason: string, complaint: string): JobFailure {
  return new JobFailure('CHECK_FAILED', `Examining the file ${reason}.`, {
    cause: new Error(complaint.trim().slice(0, 2_000)),
  })
}

/** Returns an exceeded memory or CPU limit from /proc; without /proc only wall clock and heap limit apply. */
function exceededLimit({ pid }: ChildProcess, limits: Limits): string | undefined {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    if (pages * PAGE_BYTES > limits.rssMegabytes * 2 ** 20)
      return `needed more than ${limits.rssMegabytes} MB of memory`
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The parenthesized name may contain spaces: fields are counted after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    if (ticks / CLOCK_TICKS_PER_SECOND > limits.cpuSeconds)
      return `needed more than ${limits.cpuSeconds} s of CPU time`
  } catch {
    // The process has ended.
  }
  return undefined
}

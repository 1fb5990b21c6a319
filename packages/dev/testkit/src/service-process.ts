import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { waitFor } from './wait-for.ts'

export interface ServiceProcess {
  readonly url: string
  readonly pid: number
  /** Lines written to stdout and stderr so far. */
  readonly lines: readonly string[]
  /** Resolves to its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  signal(signal: NodeJS.Signals): void
  /** Stops it gracefully, by force after 20 s. */
  stop(): Promise<void>
}

/** Eight processes that start side by side on two busy cores need it. */
const START_MS = 120_000
const STOP_MS = 20_000
const compileCache = join(tmpdir(), 'bigtech-compile-cache')

/**
 * Starts a service in a separate process like production: `node <options> src/server.ts` in its directory.
 * Passes the given variables, and of ours only PATH and a cache of compiled code, which halves the CPU time of a start.
 */
export async function startServiceProcess(options: {
  folder: string
  env: Readonly<Record<string, string>>
  entry?: string
  /** Node's own options, e.g. `['--import', '@bigtech/service-kit/tracing']`. */
  nodeOptions?: readonly string[]
}): Promise<ServiceProcess> {
  const { folder, env, entry = 'src/server.ts', nodeOptions = [] } = options
  const child = spawn(process.execPath, [...nodeOptions, entry], {
    cwd: folder,
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache, HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  for (const output of [child.stdout, child.stderr])
    createInterface({ input: output }).on('line', (line) => lines.push(line))
  const ended = once(child, 'exit').then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals)
  const stop = () => end(child, ended)
  try {
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null
    await waitFor(() => addressIn(lines) !== undefined || hasEnded(), {
      timeoutMs: START_MS,
      what: `start of ${folder}`,
    })
    const url = addressIn(lines)
    if (url === undefined) throw new Error(`ended with ${await ended}`)
    return { url, pid: child.pid!, lines, ended, signal: (signal) => void child.kill(signal), stop }
  } catch (cause) {
    await stop()
    throw new Error(`${folder} did not start:\n${lines.slice(-20).join('\n')}`, { cause })
  }
}

/** Returns the address from Fastify's log, the only source of an assigned port. */
function addressIn(lines: readonly string[]): string | undefined {
  return lines.map((line) => /listening at (http:\/\/[\d.]+:\d+)/.exec(line)?.[1]).find(Boolean)
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await ended
  clearTimeout(force)
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { waitFor } from './wait-for.ts'

export interface ServiceProcess {
  readonly url: string
  readonly pid: number
  /** What it wrote to stdout and stderr so far. */
  readonly lines: readonly string[]
  /** Resolves when it has ended: its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  signal(signal: NodeJS.Signals): void
  /** Ends it politely, and by force when that takes longer than 20 s. */
  stop(): Promise<void>
}

const STOP_MS = 20_000

/**
 * Starts a service as a process of its own, as production does: `node <options> src/server.ts` in its
 * folder. It gets the variables given and nothing of ours but PATH.
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
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  for (const output of [child.stdout, child.stderr])
    createInterface({ input: output }).on('line', (line) => lines.push(line))
  const ended = once(child, 'exit').then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals)
  const stop = () => end(child, ended)
  try {
    const url = await waitFor(() => addressIn(lines, child), {
      timeoutMs: 30_000,
      what: `start of ${folder}`,
    })
    return { url, pid: child.pid!, lines, ended, signal: (signal) => void child.kill(signal), stop }
  } catch (cause) {
    await stop()
    throw new Error(`${folder} did not start:\n${lines.slice(-20).join('\n')}`, { cause })
  }
}

/** Fastify logs where it listens: the only way to know the port it was given. */
function addressIn(lines: readonly string[], child: ChildProcess): string | undefined {
  const found = lines.map((line) => /listening at (http:\/\/[\d.]+:\d+)/.exec(line)?.[1]).find(Boolean)
  if (!found && child.exitCode !== null) throw new Error(`ended with ${child.exitCode}`)
  return found
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await ended
  clearTimeout(force)
}

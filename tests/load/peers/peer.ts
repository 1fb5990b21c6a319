import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '@bigtech/testkit'

/** A running server under load: ours, or a peer. A server lacks what it does not offer. */
export interface Peer {
  readonly name: string
  /** Undefined for a server within the load's own process, whose CPU time cannot be told apart. */
  readonly pid?: number
  /** Stores a message durably and resolves when the server acknowledges it. */
  send?(n: number): Promise<void>
  /** Reads one row by its key. */
  read?(n: number): Promise<void>
  readonly streams?: StreamServer
  stop(): Promise<void>
}

export interface StreamServer {
  readonly port: number
  /** Returns the HTTP request that opens a stream. */
  opening(index: number): string
  /** Publishes this text to all open streams. */
  publish(text: string): Promise<void>
}

/** Downloads and builds of peers, kept between runs. */
export const peersFolder = join(import.meta.dirname, '..', '..', '..', '.devstack', 'peers')

const START_MS = 30_000
const TAIL_LINES = 15

export interface PeerProcess {
  readonly pid: number
  stop(): Promise<void>
}

/**
 * Starts a peer's program in a temporary directory and waits until its port accepts connections.
 *
 * @param program receives the temporary directory, for files of its configuration
 * @throws Error with the end of the program's output, if it does not start
 */
export async function startProgram(
  port: number,
  program: (folder: string) => {
    command: string
    args: readonly string[]
    env?: NodeJS.ProcessEnv
  },
): Promise<PeerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'peer-'))
  const { command, args, env = process.env } = program(folder)
  const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4_000)
    })
  const stop = async () => {
    await end(child)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const failed = once(child, 'error').then(([error]) => Promise.reject(error))
    const isReady = waitFor(() => child.exitCode !== null || accepts(port), {
      timeoutMs: START_MS,
      what: command,
    })
    await Promise.race([isReady, failed])
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    return { pid: child.pid!, stop }
  } catch (cause) {
    await stop()
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${reason}\n${output.split('\n').slice(-TAIL_LINES).join('\n')}`, { cause })
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await once(child, 'exit')
  clearTimeout(force)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

import type { Instance, Passwords } from '../instance.ts'
import type { ProcessSpec } from '../process.ts'

/** What every server file gets to know. */
export interface ServerContext {
  instance: Instance
  passwords: Passwords
}

/** A server: fetch what it needs (cached), prepare its data, and say how it is run. */
export interface Server {
  title: string
  prepare: (context: ServerContext) => Promise<ProcessSpec[]>
}

/** Stopped last, after everything that uses them. */
export const SERVER_ORDER = 10

/** The part of a process description that is the same for the servers. */
export function serverDefaults(context: ServerContext) {
  const { account } = context.instance
  return {
    cwd: '/',
    env: process.env,
    account,
    readyWithinMs: 60_000,
    stopSignal: 'SIGTERM' as NodeJS.Signals,
    stopWithinMs: 20_000,
    order: SERVER_ORDER,
    isShown: false,
  }
}

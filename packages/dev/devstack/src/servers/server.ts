import type { Instance, Passwords } from '../instance.ts'
import type { ProcessSpec } from '../process.ts'

/** The context passed to every server. */
export interface ServerContext {
  instance: Instance
  passwords: Passwords
}

/** A server: fetches its program (cached), prepares its data, and describes its process. */
export interface Server {
  title: string
  prepare: (context: ServerContext) => Promise<ProcessSpec[]>
}

/** Servers are stopped last. */
export const SERVER_ORDER = 10

/** Returns the process options common to all servers. */
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

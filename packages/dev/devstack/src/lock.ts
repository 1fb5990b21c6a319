import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { identify, isSameProcess, type ProcessIdentity } from './pids.ts'
import { UserError } from './problems.ts'

const LOCK_WAIT_MS = 15 * 60_000
const TRY_EVERY_MS = 300

/** Serializes work between commands of one machine. A dead holder's lock is taken over. */
export async function withLock<T>(lock: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(lock), { recursive: true, mode: 0o755 })
  const deadline = Date.now() + LOCK_WAIT_MS
  while (!takeLock(lock)) {
    if (Date.now() > deadline)
      throw new UserError(`Another process holds ${lock} for too long: end it and try again.`)
    onWait()
    await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS))
  }
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

/** Acquires the lock when free; false when a living process holds it. */
export function takeLock(lock: string): boolean {
  try {
    writeFileSync(lock, JSON.stringify(identify(process.pid)), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  if (lockHolder(lock)) return false
  rmSync(lock, { force: true })
  return takeLock(lock)
}

/** Returns the living process that holds a lock. */
export function lockHolder(lock: string): ProcessIdentity | undefined {
  try {
    const holder = JSON.parse(readFileSync(lock, 'utf8')) as ProcessIdentity
    return isSameProcess(holder, identify(holder.pid)) ? holder : undefined
  } catch {
    return undefined
  }
}

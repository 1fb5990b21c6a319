import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { identify, isSameProcess, type ProcessIdentity } from '../pids.ts'
import { UserError } from '../problems.ts'
import { type Say, step } from '../progress.ts'
import { run } from '../run.ts'

export interface Artefact {
  /** Folder name below the cache: name, version and machine, so that a new version is a new folder. */
  name: string
  title: string
  /** Fills the folder. What an interrupted run left in it may be used, after its content was verified. */
  fill: (folder: string, say: Say) => Promise<void>
  /** Proves that what was fetched works, for example that every library is found. */
  verify?: (folder: string) => Promise<void>
}

const STAMP = '.complete'

/** The folder of something fetched or built; does the work only when no complete one is in the cache. */
export async function ensureArtefact(cacheFolder: string, artefact: Artefact): Promise<string> {
  const folder = join(cacheFolder, 'dist', artefact.name)
  if (existsSync(join(folder, STAMP))) return folder
  await step(artefact.title, (say) => withLock(folder, say, () => fill(folder, artefact, say)))
  return folder
}

/** Built beside its place and renamed when complete: a half-finished folder is never taken for a whole one. */
async function fill(folder: string, artefact: Artefact, say: Say): Promise<void> {
  if (existsSync(join(folder, STAMP))) return
  const part = `${folder}.part`
  mkdirSync(part, { recursive: true, mode: 0o755 })
  await artefact.fill(part, say)
  try {
    await artefact.verify?.(part)
  } catch (error) {
    rmSync(part, { recursive: true, force: true })
    throw error
  }
  // The servers' account reads this, also when root fetched it under a strict umask.
  await run('chmod', ['-R', 'a+rX', part])
  writeFileSync(join(part, STAMP), `${new Date().toISOString()}\n`)
  rmSync(folder, { recursive: true, force: true })
  renameSync(part, folder)
}

const LOCK_WAIT_MS = 15 * 60_000

/** Two instances starting at once fetch a thing once: the second waits for the first. */
async function withLock(folder: string, say: Say, work: () => Promise<void>): Promise<void> {
  const lock = `${folder}.lock`
  mkdirSync(dirname(lock), { recursive: true, mode: 0o755 })
  const deadline = Date.now() + LOCK_WAIT_MS
  while (!takeLock(lock)) {
    if (Date.now() > deadline)
      throw new UserError(`Another process holds ${lock} for too long: end it and try again.`)
    say('another start is fetching it, waiting')
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  try {
    await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function takeLock(lock: string): boolean {
  const own = identify(process.pid)
  try {
    writeFileSync(lock, JSON.stringify(own), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  if (isHeld(lock)) return false
  rmSync(lock, { force: true })
  return takeLock(lock)
}

function isHeld(lock: string): boolean {
  try {
    const holder = JSON.parse(readFileSync(lock, 'utf8')) as ProcessIdentity
    return isSameProcess(holder, identify(holder.pid))
  } catch {
    return false
  }
}

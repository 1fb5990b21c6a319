import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withLock } from '../lock.ts'
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

/** Where an artefact is once it is complete. */
export function artefactFolder(cacheFolder: string, name: string): string {
  return join(cacheFolder, 'dist', name)
}

/** The folder of something fetched or built; does the work only when no complete one is in the cache. */
export async function ensureArtefact(cacheFolder: string, artefact: Artefact): Promise<string> {
  const folder = artefactFolder(cacheFolder, artefact.name)
  if (existsSync(join(folder, STAMP))) return folder
  await step(artefact.title, (say) =>
    withLock(
      `${folder}.lock`,
      () => say('another start is fetching it, waiting'),
      () => fill(folder, artefact, say),
    ),
  )
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
